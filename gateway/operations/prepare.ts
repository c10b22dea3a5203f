/**
 * An operation's text → everything that can be known of it before its variables: parsed, bounded, validated, authorized
 * and rewritten. Kept by (text, operation name, what this principal is denied), failures too, so that neither is paid twice.
 */
import { createHash } from 'node:crypto';
import type {
  DocumentNode,
  FieldNode,
  FragmentDefinitionNode,
  GraphQLSchema,
  OperationDefinitionNode,
} from 'graphql';
import {
  getOperationAST,
  GraphQLError,
  Kind,
  NoSchemaIntrospectionCustomRule,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import { createError } from '../../schema/errors.ts';
import type { Rights } from '../authorization/rights.ts';
import type { OperationLimits } from '../limits/operation-limits.ts';
import { assertWithinLimits } from '../limits/operation-limits.ts';
import { rewriteOperation } from './rewrite.ts';

export interface PreparedOperation {
  readonly hash: string;
  /** As the client wrote it. */
  readonly operation: OperationDefinitionNode;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** As it is planned; null when nothing of it may be seen. */
  readonly planned: DocumentNode | null;
  readonly plannedHash: string;
  /** See `Rewritten`. */
  readonly cut: ReadonlyMap<FieldNode, string | null>;
}

export interface OperationRequest {
  readonly query: string;
  readonly operationName: string | null;
}

export interface PrepareOptions {
  readonly schema: GraphQLSchema;
  readonly limits: OperationLimits;
  /** About how much memory the operations that are kept may take, and their documents as much again. */
  readonly bytes: number;
}

export function createOperations({ schema, limits, bytes }: PrepareOptions) {
  const documents = new LRUCache<string, DocumentNode | GraphQLError>({ maxSize: bytes });
  const prepared = new LRUCache<string, PreparedOperation | readonly GraphQLError[]>({ maxSize: bytes });

  /** Returns the operation, or the errors for which it is refused. */
  return function prepare(
    request: OperationRequest,
    rights: Rights,
    mayIntrospect: boolean,
  ): PreparedOperation | readonly GraphQLError[] {
    const { kind, purpose, department } = rights.asker;
    // Principals of one kind, purpose and department are denied the same items before the subject is known.
    const key = digest(
      JSON.stringify([
        request.query,
        request.operationName,
        kind,
        purpose,
        department ?? null,
        mayIntrospect,
      ]),
    );
    const known = prepared.get(key);
    if (known) return known;
    const made = make(request, rights, mayIntrospect);
    // An operation, or an error of one, holds the whole document.
    const document = documents.peek(digest(request.query));
    const size = weigh(request.query, document instanceof GraphQLError ? null : (document ?? null));
    prepared.set(key, made, { size });
    return made;
  };

  function make(
    { query, operationName }: OperationRequest,
    rights: Rights,
    mayIntrospect: boolean,
  ): PreparedOperation | readonly GraphQLError[] {
    const document = readDocument(query);
    if (document instanceof GraphQLError) return [document];
    try {
      assertWithinLimits(document, limits);
    } catch (error) {
      if (error instanceof GraphQLError) return [error];
      throw error;
    }
    const rules = mayIntrospect ? specifiedRules : [...specifiedRules, NoSchemaIntrospectionCustomRule];
    const problems = validate(schema, document, rules, { maxErrors: 20 });
    if (problems.length > 0) return toOperationErrors(problems, mayIntrospect);
    const operation = getOperationAST(document, operationName);
    if (!operation)
      return [createError('INVALID_OPERATION', { detail: 'Name one operation of the document.' })];
    if (operation.operation === 'subscription')
      return [createError('INVALID_OPERATION', { detail: 'Subscriptions are not served here.' })];
    const fragments = new Map<string, FragmentDefinitionNode>();
    for (const definition of document.definitions)
      if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
    const { document: planned, cut } = rewriteOperation(schema, operation, fragments, rights);
    const hash = digest(query, operationName ?? '');
    const denied = [...cut.keys()].map(({ loc }) => `${loc?.start ?? ''}-${loc?.end ?? ''}`).join(',');
    return { hash, operation, fragments, planned, plannedHash: digest(hash, denied), cut };
  }

  function readDocument(query: string): DocumentNode | GraphQLError {
    const key = digest(query);
    const known = documents.get(key);
    if (known) return known;
    const read = parseQuery(query, limits.tokens);
    documents.set(key, read, { size: weigh(query, read instanceof GraphQLError ? null : read) });
    return read;
  }
}

/** About how many bytes a document takes with its text: what a client can make large is tokens and characters. */
export function weigh(query: string, document: DocumentNode | null): number {
  let tokens = 0;
  for (let token = document?.loc?.startToken; token; token = token.next ?? undefined) tokens += 1;
  return 1_000 + 2 * query.length + 500 * tokens;
}

function parseQuery(query: string, maxTokens: number): DocumentNode | GraphQLError {
  try {
    return parse(query, { maxTokens });
  } catch (error) {
    const isTokenLimit = error instanceof GraphQLError && error.message.includes('token');
    if (isTokenLimit && error.message.includes('limit'))
      return createError('LIMIT_EXCEEDED', {
        detail: `tokens: at most ${maxTokens}.`,
        extensions: { limit: 'tokens' },
      });
    if (error instanceof GraphQLError) return createError('INVALID_OPERATION', { detail: error.message });
    // A document so deep that the recursive parser runs out of stack is too large by any measure.
    if (error instanceof RangeError) return createError('LIMIT_EXCEEDED', { extensions: { limit: 'depth' } });
    throw error;
  }
}

/**
 * Errors of our own table (a malformed credit code) are about the caller's input and are shown. All others speak of the
 * schema: whoever may not introspect gets one constant text, or a word list could rebuild the schema from the messages.
 */
function toOperationErrors(
  problems: readonly GraphQLError[],
  mayIntrospect: boolean,
): readonly GraphQLError[] {
  const own = problems.flatMap((problem) => ownError(problem) ?? []);
  if (own.length > 0) return own;
  if (!mayIntrospect) return [createError('INVALID_OPERATION')];
  return problems.map(
    (problem) =>
      new GraphQLError(problem.message, {
        ...(problem.nodes ? { nodes: problem.nodes } : {}),
        extensions: { code: 'INVALID_OPERATION' },
      }),
  );
}

/** The error that a scalar's parser threw, whether graphql-js passed it on or wrapped it. */
export function ownError(problem: GraphQLError): GraphQLError | null {
  const original = problem.originalError;
  const error = original instanceof GraphQLError ? original : problem;
  return typeof error.extensions['code'] === 'string'
    ? new GraphQLError(error.message, { extensions: error.extensions })
    : null;
}

function digest(...parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('base64url');
}
