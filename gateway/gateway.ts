/**
 * The request path as one ordered list of stages. Each stands where it stands for a reason:
 *
 *  0. admission    in http/server.ts (limits/admission.ts): once before the body is read, once before identity; in an overload
 *                  what is refused must cost next to nothing
 *  1. identify     nothing is decided about nobody; a token that does not hold ends here
 *  2. rate         before any work that a flood could make us do
 *  3. prepare      parse → bounds → validate → authorize → rewrite → plan, kept per operation: bounds before validation
 *                  and planning, which a small bomb can keep busy for seconds and which another thread does; denied fields
 *                  are cut before planning, so that no department is asked for what will not be shown
 *  4. variables    coerced before execution: a malformed code reaches no department
 *     a mutation is recorded first: nothing is changed of which no record can be made
 *  5. execute      the compiled plan; authorization with the subject, cache and transport stand inside (execution/data-source.ts)
 *  6. shape        masks after the cache: a cache holds facts, never a principal's view
 *  7. release      the consents are confirmed and the record is durable before the answer leaves (evidence/release.ts);
 *                  without them there is no answer
 *  8. receipt      signs what actually leaves
 */
import { trace } from '@opentelemetry/api';
import { randomUUID } from 'node:crypto';
import { getVariableValues, GraphQLError } from 'graphql';
import type { Logger } from 'pino';
import type { Rules } from '../schema/catalogue.ts';
import { createError } from '../schema/errors.ts';
import type { Principal } from '../schema/principal.ts';
import { toDenialError } from './authorization/denial-error.ts';
import { createRightsOf } from './authorization/rights.ts';
import type { SubjectIds } from '../schema/subject-id.ts';
import type { AuditLog } from './evidence/audit-log.ts';
import type { AuditRecord } from './evidence/audit-record.ts';
import type { Attempt } from './evidence/release.ts';
import { release, toRequestDigest } from './evidence/release.ts';
import type { Signatures } from '../schema/signatures/suite.ts';
import type { DataSource } from './execution/data-source.ts';
import type { InternalQuestions } from './execution/internal-questions.ts';
import { createInternalQuestions } from './execution/internal-questions.ts';
import { createNamedSubjects } from './execution/named-subjects.ts';
import type { GatewayScope } from './execution/request-scope.ts';
import { createTrail, noteDenial } from './execution/request-scope.ts';
import type { Withdrawn } from './execution/subject-knowledge.ts';
import {
  createStateMemory,
  createSubjectKnowledge,
  NOTHING_WITHDRAWN,
} from './execution/subject-knowledge.ts';
import { refuse, toPublicErrors } from './execution/public-errors.ts';
import { createFailures } from './execution/failures.ts';
import type { TimeLimit } from './execution/time-limit.ts';
import { createTimeLimit } from './execution/time-limit.ts';
import type { Transport } from './execution/transport.ts';
import { amountOf, assertAmountsWithin } from './limits/amount.ts';
import type { OperationLimits } from './limits/operation-limits.ts';
import { assertVariablesWithinLimits } from './limits/operation-limits.ts';
import type { GatewayAnswer, GatewayRequest } from './http/graphql-over-http.ts';
import type { Pace } from './limits/quanta.ts';
import type { TakeRate } from './limits/rates.ts';
import type { PreparedOperation } from './operations/prepare.ts';
import { withoutValue } from './operations/variable-errors.ts';
import type { Persons, ReceivedIds } from './persons.ts';
import type { Prepare } from './operations/prepare.ts';
import { createOperations } from './operations/prepare.ts';
import { ownError } from './operations/problems.ts';
import type { RegisteredOperations } from './operations/registered.ts';
import type { Executed, RunRequest } from './operations/run.ts';
import { createRun } from './operations/run.ts';
import type { Supergraph } from './supergraph/load.ts';

export interface GatewayParts {
  readonly supergraph: Supergraph;
  readonly rules: Rules;
  readonly transport: Transport;
  /** Asks the departments for what plans fetch. */
  readonly dataSource: DataSource;
  readonly audit: AuditLog | null;
  readonly signature: Signatures | null;
  /** Under it what a request asks is digested: variables may hold what could be guessed from a digest without a key. */
  readonly digestKey: Uint8Array;
  readonly takeRate: TakeRate;
  readonly persons: Persons;
  /** Opens persons' ids, for their age; null in a gateway without keys. */
  readonly subjectIds: SubjectIds | null;
  readonly registered: RegisteredOperations;
  /** Operations of this supergraph that are prepared already; without it none is. */
  readonly prepare?: Prepare;
  readonly limits: OperationLimits;
  readonly introspection: 'everyone' | 'authenticated' | 'nobody';
  readonly requestDeadlineMs: number;
  readonly log: Logger;
}

export type Gateway = (request: GatewayRequest) => Promise<GatewayAnswer>;

/** Without a bound every entry of a large variable is an error with a text of its own. */
const MOST_VARIABLE_ERRORS = 5;

/** About how much memory prepared operations may take. */
export const MOST_OPERATION_BYTES = 64 * 1024 * 1024;

/** A company that is struck off keeps its consents for as long at most. */
const STATES_KEPT_MS = 60_000;
const tracer = trace.getTracer('jinxin.gateway');

export function createGateway(parts: GatewayParts): Gateway {
  const { supergraph, rules, limits, log } = parts;
  const { catalogue } = rules;
  const rightsOf = createRightsOf(rules, supergraph.requirements);
  const prepare = parts.prepare ?? createOperations({ supergraph, limits, bytes: MOST_OPERATION_BYTES });
  const runPlan = createRun(supergraph);
  const states = createStateMemory(STATES_KEPT_MS);
  const namedSubjects = createNamedSubjects(supergraph.apiSchema);

  return (request) =>
    tracer.startActiveSpan('operation', async (span) => {
      span.setAttributes({
        'jinxin.principal.kind': request.principal.kind,
        'jinxin.purpose': request.principal.purpose,
      });
      const pace = parts.persons.arrive();
      try {
        return await answer(request, pace);
      } catch (error) {
        if (error instanceof GraphQLError) return refuse([error]);
        const traceId = span.spanContext().traceId;
        log.error({ err: error, traceId }, 'a request failed');
        return refuse([createError('INTERNAL', { extensions: { traceId } })]);
      } finally {
        span.end();
        await pace.end();
      }
    });

  async function answer(request: GatewayRequest, pace: Pace): Promise<GatewayAnswer> {
    const { principal } = request;
    await parts.takeRate(request.consumer);
    const rights = rightsOf(principal);
    const query = parts.registered.textOf(request);
    const operation = await prepare({ ...request, query }, rights, mayIntrospect(principal));
    if (!('hash' in operation)) return refuse(operation);
    assertVariablesWithinLimits(request.variables, limits);
    const { coerced, errors } = getVariableValues(
      supergraph.apiSchema,
      operation.operation.variableDefinitions ?? [],
      request.variables,
      { maxErrors: MOST_VARIABLE_ERRORS },
    );
    if (errors) return refuse(errors.map((error) => ownError(error) ?? toVariableError(error, principal)));

    request.onCost?.(amountOf(operation.amounts.cost, coerced));
    assertAmountsWithin(operation.amounts, limits, coerced);
    const received = await parts.persons.receive(operation, request, coerced, pace);

    const named = namedSubjects(operation.operation, operation.fragments, coerced);
    const limit = createTimeLimit(request.signal, parts.requestDeadlineMs);
    try {
      const run = createAttempts(
        request,
        new Set([...named].flatMap((id) => received.toPlatformId(id) ?? [])),
        limit,
      );
      const intention = await recordIntent(operation, run.scopeOf(NOTHING_WITHDRAWN));
      return await release(
        {
          audit: parts.audit,
          signature: parts.signature,
          questions: run.questions,
          consumer: principal.id,
          request: run.request,
          digest: () =>
            toRequestDigest(parts.digestKey, {
              operation: operation.hash,
              variables: received.variables,
              purpose: principal.purpose,
            }),
          intention,
          isRepeatable: operation.operation.operation !== 'mutation',
          log,
        },
        (withdrawn) =>
          attempt(operation, { ...received, consumer: request.consumer }, run.scopeOf(withdrawn)),
      );
    } finally {
      limit.end();
    }
  }

  /** What one request has of its own, whichever attempt at its answer it is. */
  function createAttempts(
    { principal, idempotencyKey }: GatewayRequest,
    named: ReadonlySet<string>,
    { signal, deadline }: TimeLimit,
  ): {
    request: string;
    questions: InternalQuestions;
    scopeOf: (withdrawn: Withdrawn) => GatewayScope;
  } {
    const name = idempotencyKey ?? randomUUID();
    const asker = JSON.stringify(principal);
    const questions = createInternalQuestions(parts.transport, supergraph.internal, { signal, deadline });
    return {
      request: name,
      questions,
      scopeOf: (withdrawn) => ({
        principal,
        asker,
        rights: rightsOf(principal),
        signal,
        deadline,
        knowledge: createSubjectKnowledge({
          principal,
          request: name,
          questions,
          subjectIds: parts.subjectIds,
          law: rules.law,
          withdrawn,
          states,
          now: Date.now,
          log,
        }),
        trail: createTrail(named),
      }),
    };
  }

  /** Makes the answer once: executed, shaped, with what is to be recorded of it. */
  async function attempt(
    operation: PreparedOperation,
    { toEdgeId, ...asked }: ReceivedIds & RunRequest,
    scope: GatewayScope,
  ): Promise<Attempt> {
    askAhead(operation, scope);
    const executed = await runPlan(operation, asked, {
      fetch: parts.dataSource(scope),
      deadline: scope.deadline,
    });
    const shaped = shape(operation, executed, scope, toEdgeId);
    for (const item of shaped.items) scope.trail.disclosed.add(item);
    const invalid = shaped.errors.filter(({ extensions }) => extensions['code'] === 'INTERNAL').length;
    if (invalid > 0) log.warn({ places: invalid }, 'departments answered what the schema does not allow');
    const errors = toPublicErrors(shaped.data, [...shaped.errors, ...executed.errors], {
      isPlain: supergraph.requirements.size === 0,
      log,
    });
    const { disputed } = scope.trail;
    const body = {
      data: shaped.data,
      ...(errors.length > 0 ? { errors } : {}),
      ...(disputed.length > 0 ? { extensions: { underObjection: disputed } } : {}),
    };
    const items = [...scope.trail.disclosed].filter((id) => catalogue.get(id)?.publicity !== 'PUBLIC');
    const isEvident = items.length > 0 || scope.trail.denials.length > 0;
    return {
      body,
      record: isEvident
        ? toRecord(operation.hash, scope, items, items.length > 0 ? 'DISCLOSED' : 'DENIED')
        : null,
      consents: scope.trail.consents,
    };
  }

  /**
   * Of the one subject that an operation names, what decisions must know is asked for at once, beside the subject itself; of
   * several some may not exist, and their departments would have to ask again for the others.
   */
  function askAhead({ needs }: PreparedOperation, { trail, knowledge }: GatewayScope): void {
    if (trail.subjects.size === 1 && needs.size > 0) void knowledge([...trail.subjects], needs);
  }

  function shape(
    { shape: shapeAnswer }: PreparedOperation,
    executed: Executed,
    { rights, trail }: GatewayScope,
    toEdgeId: ReceivedIds['toEdgeId'],
  ) {
    const failures = createFailures(executed.errors);
    return shapeAnswer(executed.data, {
      toEdgeId,
      hasFailed: failures.at,
      unmaskable(item, path) {
        const decision = rights.ofItem(item).id;
        trail.denials.push({ item, reason: 'MASKED', path: path.join('.'), decision });
        return createError('FORBIDDEN', { path, extensions: { item, reason: 'MASKED', decision } });
      },
      denied(item, path) {
        const decision = rights.ofItem(item);
        if (decision.effect !== 'deny') throw new Error(`${item} was cut although it is not denied`);
        noteDenial(trail, decision, path);
        return toDenialError(decision, path);
      },
      onDisputed: (path) => trail.disputed.push(path.join('.')),
    });
  }

  /** Nothing is changed of which no record can be made: whether the answer can be recorded shows too late. */
  async function recordIntent({ operation, program, hash }: PreparedOperation, scope: GatewayScope) {
    if (operation.operation !== 'mutation' || !program || !parts.audit) return null;
    const intent = toRecord(hash, scope, [], 'INTENDED');
    const id = randomUUID();
    await parts.audit.append({ ...intent, id, supersedes: null, answerHash: null });
    return id;
  }

  function toRecord(
    operation: string,
    { principal, rights, trail }: GatewayScope,
    items: readonly string[],
    result: AuditRecord['result'],
  ): NonNullable<Attempt['record']> {
    const { kind, id, department } = principal;
    return {
      at: new Date().toISOString(),
      principal: { kind, id, ...(department === undefined ? {} : { department }) },
      purpose: principal.purpose,
      operation,
      result,
      subjects: [...trail.subjects],
      consents: [...trail.consents],
      items,
      decisions: [
        ...new Set(items.flatMap((item) => [...(trail.decisions.get(item) ?? [rights.ofItem(item).id])])),
      ],
      denials: trail.denials,
      sources: trail.fetches.flatMap(({ subgraph, ok, asked, statuses }) =>
        (statuses.length > 0 ? statuses : [ok ? (asked > 0 ? 'ANSWERED' : 'CACHED') : 'UNREACHABLE']).map(
          (status) => ({ subgraph, status }),
        ),
      ),
      breakGlass: [...trail.releases],
      catalogue: rules.version,
    };
  }

  function mayIntrospect(principal: Principal): boolean {
    if (parts.introspection === 'everyone') return true;
    return parts.introspection === 'authenticated' && principal.kind !== 'public';
  }

  function toVariableError(error: GraphQLError, principal: Principal): GraphQLError {
    return createError(
      'INVALID_OPERATION',
      mayIntrospect(principal) ? { detail: withoutValue(error.message) } : {},
    );
  }
}
