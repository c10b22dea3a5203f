/**
 * An operation's text → everything that can be known of it before its variables: parsed, bounded, validated, authorized,
 * rewritten and planned. Kept by (text, operation name, what this principal is denied), failures too, so that neither is
 * paid twice. What a small document can make slow (validation, planning) is done in another thread.
 */
import { createHash } from 'node:crypto';
import type { DocumentNode, FieldNode, FragmentDefinitionNode, OperationDefinitionNode } from 'graphql';
import { getOperationAST, GraphQLError, Kind, print } from 'graphql';
import { LRUCache } from 'lru-cache';
import { createError } from '../../schema/errors.ts';
import { readFetchOperation } from '../execution/fetch-operation.ts';
import { variableKeyOf } from '../execution/keys.ts';
import type { Program } from '../execution/program/program.ts';
import { createProgram } from '../execution/program/program.ts';
import type { Shape } from '../execution/shape/shape.ts';
import { createShape } from '../execution/shape/shape.ts';
import type { Requirement } from '../authorization/decision.ts';
import type { Rights } from '../authorization/rights.ts';
import type { Amounts } from '../limits/amount.ts';
import { assertAmountsWithin } from '../limits/amount.ts';
import { createCostModel, createValueModel } from '../limits/cost.ts';
import type { OperationLimits } from '../limits/operation-limits.ts';
import { assertWithinLimits } from '../limits/operation-limits.ts';
import { createSubjectCounter } from '../limits/subjects.ts';
import type { Supergraph } from '../supergraph/load.ts';
import type { Conditions, ConditionVariable } from './conditions.ts';
import { findConditions, valuesOf } from './conditions.ts';
import { readDocument, weigh } from './document.ts';
import type { KnownOperations } from './known.ts';
import { splitIntrospection } from './introspection.ts';
import { toOperationErrors } from './problems.ts';
import { rewriteOperation } from './rewrite.ts';

export interface PreparedOperation {
  readonly hash: string;
  /** As the client wrote it. */
  readonly operation: OperationDefinitionNode;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** What departments are asked, and how; null when that is nothing. */
  readonly program: Program | null;
  /** Whether a variable of it is planned under another name. */
  readonly variableKeys: boolean;
  /** What was fetched → what is answered. */
  readonly shape: Shape;
  /** What is asked of the schema itself; null when that is nothing. */
  readonly introspection: string | null;
  /** See `Rewritten`. */
  readonly cut: ReadonlyMap<FieldNode, string | null>;
  readonly needs: ReadonlySet<Requirement>;
  /** To be held against the limits when the variables are known. */
  readonly amounts: Amounts;
  /** Characters of its plan, for the memory that it takes. */
  readonly planSize: number;
}

export interface OperationRequest {
  readonly query: string;
  readonly operationName: string | null;
  /** As the client sent them: those that `@skip` and `@include` are given decide what is planned. */
  readonly variables: Readonly<Record<string, unknown>>;
  /** Who pays for the preparation, if there is any. */
  readonly consumer: string;
}

export interface PrepareOptions {
  readonly supergraph: Pick<
    Supergraph,
    'apiSchema' | 'fullSchema' | 'requirements' | 'costRules' | 'planner'
  >;
  readonly limits: OperationLimits;
  /** About how much memory the operations that are kept may take, and their documents as much again. */
  readonly bytes: number;
  /** Told of each use of an operation that can be run. */
  readonly known?: KnownOperations;
}

type Prepared = PreparedOperation | readonly GraphQLError[];

/** Resolves to the operation, or to the errors for which it is refused. Rejects with OVERLOADED, which is not kept. */
export type Prepare = (
  request: OperationRequest,
  rights: Rights,
  mayIntrospect: boolean,
) => Promise<Prepared>;

/** Keys of operations whose variables of conditions are remembered. */
const MOST_CONDITIONAL = 10_000;
/** How long an operation that could not be planned in time is remembered as such; milliseconds. */
const REFUSAL_KEPT_MS = 60_000;

export function createOperations({ supergraph, limits, bytes, known: uses }: PrepareOptions): Prepare {
  const { apiSchema: schema, planner } = supergraph;
  const costOf = createCostModel(supergraph.fullSchema, supergraph.costRules);
  const amountsOf = createValueModel(supergraph.fullSchema, supergraph.costRules);
  const subjectsOf = createSubjectCounter(schema);
  const documents = new LRUCache<string, DocumentNode | GraphQLError>({ maxSize: bytes });
  const prepared = new LRUCache<string, Prepared>({ maxSize: bytes });
  const conditional = new LRUCache<string, readonly ConditionVariable[]>({ max: MOST_CONDITIONAL });
  const preparing = new Map<string, Promise<Prepared>>();

  return async function prepare(request, rights, mayIntrospect) {
    const { kind, purpose, department } = rights.asker;
    // Principals of one kind, purpose and department are denied the same items before the subject is known.
    const general = digest(
      JSON.stringify([
        request.query,
        request.operationName,
        kind,
        purpose,
        department ?? null,
        mayIntrospect,
      ]),
    );
    const conditions = valuesOf(conditionsOf(general, request), request.variables);
    // One operation for each set of their values.
    const key =
      general +
      Object.values(conditions)
        .map((value) => (value ? ' 1' : ' 0'))
        .join('');
    const note = (made: Prepared) => {
      if (!('hash' in made)) return made;
      const { query, operationName } = request;
      const { asker } = rights;
      uses?.note(key, () => ({ query, operationName, variables: conditions, asker, mayIntrospect }));
      return made;
    };
    const known = prepared.get(key);
    if (known) return note(known);
    // Whoever asks for the same at the same time waits for the same. Another consumer does not: the first may be over its share.
    const shared = JSON.stringify([key, request.consumer]);
    const others = preparing.get(shared);
    if (others) return others;
    const making = makeAndKeep(key, request, rights, mayIntrospect, conditions);
    preparing.set(shared, making);
    return making.then(note).finally(() => preparing.delete(shared));
  };

  async function makeAndKeep(
    key: string,
    request: OperationRequest,
    rights: Rights,
    mayIntrospect: boolean,
    conditions: Conditions,
  ): Promise<Prepared> {
    const made = await make(request, rights, mayIntrospect, conditions).catch((error: unknown) => {
      if (error instanceof GraphQLError && error.extensions['code'] === 'LIMIT_EXCEEDED') return [error];
      throw error;
    });
    // An operation, or an error of one, holds the whole document.
    const document = documents.peek(digest(request.query));
    const plan = 'hash' in made ? made.planSize : 0;
    const size =
      weigh(request.query, document instanceof GraphQLError ? null : (document ?? null)) + 4 * plan;
    const isUnplanned = !('hash' in made) && made[0]?.extensions['limit'] === 'planning';
    prepared.set(key, made, { size, ...(isUnplanned ? { ttl: REFUSAL_KEPT_MS } : {}) });
    return made;
  }

  async function make(
    { query, operationName, consumer }: OperationRequest,
    rights: Rights,
    mayIntrospect: boolean,
    conditions: Conditions,
  ): Promise<Prepared> {
    const document = documentOf(query);
    if (document instanceof GraphQLError) return [document];
    assertWithinLimits(document, limits);
    const problems = await planner.validate(query, mayIntrospect, consumer);
    if (problems.length > 0) return toOperationErrors(problems, query, mayIntrospect);
    const operation = getOperationAST(document, operationName);
    if (!operation)
      return [createError('INVALID_OPERATION', { detail: 'Name one operation of the document.' })];
    if (operation.operation === 'subscription')
      return [createError('INVALID_OPERATION', { detail: 'Subscriptions are not served here.' })];
    const fragments = fragmentsOf(document);
    const amounts = {
      cost: costOf(operation, fragments),
      values: amountsOf(operation, fragments),
      subjects: subjectsOf(operation, fragments),
    };
    assertAmountsWithin(amounts, limits);
    const {
      document: rewritten,
      cut,
      needs,
    } = rewriteOperation(schema, { operation, fragments, conditions }, rights);
    const split = rewritten ? splitIntrospection(rewritten) : { plain: null, introspection: null };
    if (!split)
      return [
        createError('INVALID_OPERATION', { detail: '__schema and __type are served at the root only.' }),
      ];
    const { plain, introspection } = split;
    const plan = plain && (await planner.plan(print(plain), null, consumer));
    return {
      hash: digest(query, operationName ?? ''),
      operation,
      fragments,
      planSize: plan ? JSON.stringify(plan).length : 0,
      program:
        plan &&
        createProgram(plan, supergraph.fullSchema, (text) =>
          readFetchOperation(text, supergraph.fullSchema, supergraph.requirements),
        ),
      variableKeys: (operation.variableDefinitions ?? []).some(
        ({ variable: { name } }) => variableKeyOf(name.value) !== name.value,
      ),
      shape: createShape({
        schema,
        operation,
        fragments,
        conditions,
        cut,
        itemsOf: rights.itemsOf,
        maskOf(parent, field) {
          const decision = rights.ofField(parent, field);
          return decision && 'mask' in decision ? decision.mask : undefined;
        },
      }),
      introspection: introspection && print(introspection),
      cut,
      needs,
      amounts,
    };
  }

  /** Of a document that cannot be read there are none: it will be refused. */
  function conditionsOf(key: string, { query, operationName }: OperationRequest) {
    const known = conditional.get(key);
    if (known) return known;
    const document = documentOf(query);
    const operation = document instanceof GraphQLError ? null : getOperationAST(document, operationName);
    const found =
      operation && !(document instanceof GraphQLError)
        ? findConditions(operation, fragmentsOf(document))
        : [];
    conditional.set(key, found);
    return found;
  }

  function documentOf(query: string): DocumentNode | GraphQLError {
    const key = digest(query);
    const known = documents.get(key);
    if (known) return known;
    const read = readDocument(query, limits.tokens);
    documents.set(key, read, { size: weigh(query, read instanceof GraphQLError ? null : read) });
    return read;
  }
}

function fragmentsOf(document: DocumentNode): ReadonlyMap<string, FragmentDefinitionNode> {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  return fragments;
}

function digest(...parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('base64url');
}
