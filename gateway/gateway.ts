/**
 * The request path as one ordered list of stages. Each stands where it stands for a reason:
 *
 *  1. identify     nothing is decided about nobody; a token that does not hold ends here
 *  2. rate         before any work that a flood could make us do
 *  3. prepare      parse → bounds → validate → authorize → rewrite, kept per operation: bounds before validation and
 *                  planning, which a small bomb can keep busy for seconds; denied fields are cut before planning, so that
 *                  no department is asked for what will not be shown
 *  4. variables    coerced before execution: a malformed code reaches no department
 *     a mutation is recorded first: nothing is changed of which no record can be made
 *  5. execute      the plan; authorization with the subject, cache and transport stand inside (execution/data-source.ts)
 *  6. shape        masks after the cache: a cache holds facts, never a principal's view
 *  7. audit        durable before the answer leaves; without it there is no answer
 *  8. receipt      signs what actually leaves
 */
import { trace } from '@opentelemetry/api';
import { randomUUID } from 'node:crypto';
import type { GraphQLFormattedError } from 'graphql';
import { getVariableValues, GraphQLError } from 'graphql';
import type { Logger } from 'pino';
import { digestOf } from '../schema/canonical.ts';
import type { Catalogue } from '../schema/catalogue.ts';
import type { ErrorCode } from '../schema/errors.ts';
import { createError, ERROR_FACTS, ERRORS, isErrorCode } from '../schema/errors.ts';
import type { Principal } from '../schema/principal.ts';
import { createRights } from './authorization/rights.ts';
import type { AuditLog } from './evidence/audit-log.ts';
import type { AuditRecord } from './evidence/audit-record.ts';
import { issueReceipt } from './evidence/receipt.ts';
import type { SignatureSuite } from '../schema/signatures/suite.ts';
import { findConsents } from './execution/consents.ts';
import { toResponseName, variableKeyOf } from './execution/keys.ts';
import type { GatewayScope, Trail } from './execution/request-scope.ts';
import { createTrail } from './execution/request-scope.ts';
import { createNamedSubjects } from './execution/named-subjects.ts';
import { createFailures } from './execution/failures.ts';
import { shapeAnswer } from './execution/shape.ts';
import type { Transport } from './execution/transport.ts';
import type { OperationLimits } from './limits/operation-limits.ts';
import { assertVariablesWithinLimits } from './limits/operation-limits.ts';
import type { GatewayAnswer, GatewayRequest } from './http/graphql-over-http.ts';
import type { TakeRate } from './limits/rates.ts';
import type { PreparedOperation } from './operations/prepare.ts';
import { createOperations, ownError } from './operations/prepare.ts';
import type { Supergraph } from './supergraph/load.ts';

export interface GatewayParts {
  readonly supergraph: Supergraph;
  readonly catalogue: Catalogue;
  readonly catalogueVersion: string;
  readonly transport: Transport;
  readonly audit: AuditLog | null;
  readonly signature: SignatureSuite | null;
  readonly takeRate: TakeRate;
  readonly limits: OperationLimits;
  readonly introspection: 'everyone' | 'authenticated' | 'nobody';
  readonly requestDeadlineMs: number;
  readonly log: Logger;
}

export type Gateway = (request: GatewayRequest) => Promise<GatewayAnswer>;

const tracer = trace.getTracer('jinxin.gateway');

export function createGateway(parts: GatewayParts): Gateway {
  const { supergraph, catalogue, limits, log } = parts;
  const namedSubjects = createNamedSubjects(supergraph.apiSchema);
  const prepare = createOperations({ schema: supergraph.apiSchema, limits, bytes: 64 * 1024 * 1024 });

  return (request) =>
    tracer.startActiveSpan('operation', async (span) => {
      span.setAttributes({
        'jinxin.principal.kind': request.principal.kind,
        'jinxin.purpose': request.principal.purpose,
      });
      try {
        return await answer(request);
      } catch (error) {
        if (error instanceof GraphQLError) return refuse([error]);
        const traceId = span.spanContext().traceId;
        log.error({ err: error, traceId }, 'a request failed');
        return refuse([createError('INTERNAL', { extensions: { traceId } })]);
      } finally {
        span.end();
      }
    });

  async function answer(request: GatewayRequest): Promise<GatewayAnswer> {
    const { principal } = request;
    await parts.takeRate(request.consumer);
    const rights = createRights(catalogue, supergraph.requirements, principal);
    const operation = prepare(request, rights, mayIntrospect(principal));
    if (!('hash' in operation)) return refuse(operation);
    assertVariablesWithinLimits(request.variables, limits);
    const coerced = getVariableValues(
      supergraph.apiSchema,
      operation.operation.variableDefinitions ?? [],
      request.variables,
    );
    if (coerced.errors)
      return refuse(coerced.errors.map((error) => ownError(error) ?? toVariableError(error, principal)));

    const trail = createTrail();
    const named = namedSubjects(operation.operation, operation.fragments, coerced.coerced);
    for (const subject of named) trail.subjects.add(subject);
    const scope: GatewayScope = {
      principal,
      rights,
      signal: request.signal,
      deadline: performance.now() + parts.requestDeadlineMs,
      consentedItems: createConsentedItems(request, trail),
      trail,
    };
    await recordIntent(operation, scope);
    const executed = await execute(operation, request, scope);
    const shaped = shape(operation, coerced.coerced, executed, scope);
    const errors = [
      ...shaped.errors,
      ...executed.errors.flatMap((error) => atAskedPath(error, shaped.data) ?? []),
    ].map((error) => toPublicError(error));
    const body = { data: shaped.data, ...(errors.length > 0 ? { errors } : {}) };
    return { ...body, ...(await evidence(operation, scope, body)) };
  }

  /** Runs the planned operation; with nothing left to plan, nothing is run and nobody is asked. */
  async function execute(
    { planned, plannedHash, operation }: PreparedOperation,
    request: GatewayRequest,
    scope: GatewayScope,
  ): Promise<{
    data: Readonly<Record<string, unknown>> | null | undefined;
    errors: readonly GraphQLError[];
  }> {
    if (!planned) return { data: undefined, errors: [] };
    const variables = Object.fromEntries(
      Object.entries(request.variables).map(([name, value]) => [variableKeyOf(name), value]),
    );
    const result = await supergraph.execute({
      request: { query: plannedHash, variables, operationName: operation.name?.value },
      document: planned,
      queryHash: plannedHash,
      operationName: operation.name?.value ?? null,
      operation,
      source: plannedHash,
      schema: supergraph.apiSchema,
      context: scope,
      logger: console,
      metrics: {},
      overallCachePolicy: {},
    } as never);
    // What the library throws itself, such as a data source that failed, comes without extensions.
    for (const error of result.errors ?? [])
      if (!('extensions' in error)) log.error({ err: error }, 'a fetch failed');
    const errors = (result.errors ?? []).map(
      (error) =>
        new GraphQLError(error.message, {
          ...(error.path ? { path: error.path.map(toResponseName) } : {}),
          ...(error.extensions ? { extensions: error.extensions } : {}),
        }),
    );
    // A value that the schema does not allow was made null: the library tells it here, and only when nothing else was wrong.
    const invalid = (result.extensions?.['valueCompletion'] ?? []) as readonly GraphQLError[];
    for (const { path = [] } of invalid)
      errors.push(createError('INTERNAL', { path: path.map(toResponseName) }));
    if (invalid.length > 0)
      log.warn({ places: invalid.length }, 'departments answered what the schema does not allow');
    // Without data the execution failed as a whole, which is another thing than nothing to execute.
    return { data: (result.data ?? null) as Readonly<Record<string, unknown>> | null, errors };
  }

  function shape(
    { operation, fragments, cut }: PreparedOperation,
    variables: Readonly<Record<string, unknown>>,
    executed: {
      data: Readonly<Record<string, unknown>> | null | undefined;
      errors: readonly GraphQLError[];
    },
    { rights, trail }: GatewayScope,
  ) {
    const failures = createFailures(executed.errors);
    return shapeAnswer(
      {
        schema: supergraph.apiSchema,
        fragments,
        variables,
        isCut: (field) => cut.has(field),
        maskOf(parent, field) {
          const decision = rights.ofField(parent, field);
          return decision && 'mask' in decision ? decision.mask : undefined;
        },
        denied(field, path) {
          const item = cut.get(field) ?? null;
          if (item === null) return null;
          const decision = rights.ofItem(item);
          const reason = decision.effect === 'deny' ? decision.reason : 'NOT_GRANTED';
          trail.denials.push({ item, reason, path: path.join('.') });
          return createError('FORBIDDEN', { path, extensions: { item, reason } });
        },
        onAnswered(parent, field, path, isNull) {
          const items = rights.itemsOf(parent, field);
          // A null beside which no error stands says that nobody has it: that is told, too.
          if (items.length === 0 || (isNull && failures.at(path))) return;
          for (const item of items) trail.disclosed.add(item);
        },
      },
      operation,
      executed.data,
    );
  }

  /** Nothing is changed of which no record can be made: whether the answer can be recorded shows too late. */
  async function recordIntent({ operation, planned, hash }: PreparedOperation, scope: GatewayScope) {
    if (operation.operation !== 'mutation' || !planned || !parts.audit) return;
    const intention = toRecord(hash, scope, [], null);
    await parts.audit.append(intention);
    scope.trail.intention = intention.id;
  }

  function toRecord(
    operation: string,
    { principal, trail }: GatewayScope,
    items: readonly string[],
    answerHash: string | null,
  ): AuditRecord {
    const isDisclosing = items.length > 0;
    return {
      id: randomUUID(),
      at: new Date().toISOString(),
      principal: {
        kind: principal.kind,
        id: principal.id,
        ...(principal.department === undefined ? {} : { department: principal.department }),
      },
      purpose: principal.purpose,
      operation,
      result: answerHash === null ? 'INTENDED' : isDisclosing ? 'DISCLOSED' : 'DENIED',
      subjects: [...trail.subjects],
      consents: [...trail.consents],
      items,
      decisions: [],
      denials: trail.denials,
      sources: trail.fetches.map(({ subgraph, ok, asked }) => ({
        subgraph,
        status: ok ? (asked > 0 ? 'ANSWERED' : 'CACHED') : 'UNREACHABLE',
      })),
      breakGlass: [],
      supersedes: trail.intention,
      catalogue: parts.catalogueVersion,
      answerHash,
    };
  }

  /** One record per answer that discloses a non-public item or denies one, and a receipt for what is disclosed. */
  async function evidence({ hash }: PreparedOperation, scope: GatewayScope, body: unknown) {
    const items = [...scope.trail.disclosed].filter((id) => catalogue.get(id)?.publicity !== 'PUBLIC');
    if (items.length === 0 && scope.trail.denials.length === 0) return {};
    if (!parts.audit) throw createError('AUDIT_UNAVAILABLE');
    const answerHash = digestOf(body);
    await parts.audit.append(toRecord(hash, scope, items, answerHash));
    if (!parts.signature || items.length === 0) return {};
    return { extensions: { receipt: issueReceipt(parts.signature, answerHash, Date.now()) } };
  }

  function createConsentedItems(
    { principal, signal }: GatewayRequest,
    trail: Trail,
  ): GatewayScope['consentedItems'] {
    const deadline = performance.now() + parts.requestDeadlineMs;
    const asked = new Map<string, Promise<ReadonlyMap<string, ReadonlySet<string>>>>();
    const { consentSubgraph } = supergraph;
    return async (subjects) => {
      if (!consentSubgraph || subjects.length === 0) return new Map();
      const key = [...subjects].sort().join(' ');
      const question =
        asked.get(key) ??
        findConsents(parts.transport, consentSubgraph, { principal, subjects, signal, deadline }).then(
          ({ ids, items }) => {
            for (const id of ids) trail.consents.add(id);
            return items;
          },
          (error: unknown) => {
            // Fail closed: whoever cannot be asked has not consented.
            log.warn({ err: error }, 'consents could not be read');
            return new Map<string, ReadonlySet<string>>();
          },
        );
      asked.set(key, question);
      return question;
    };
  }

  function mayIntrospect(principal: Principal): boolean {
    if (parts.introspection === 'everyone') return true;
    return parts.introspection === 'authenticated' && principal.kind !== 'public';
  }

  function toVariableError(error: GraphQLError, principal: Principal): GraphQLError {
    return createError('INVALID_OPERATION', mayIntrospect(principal) ? { detail: error.message } : {});
  }

  /** Errors of the table are shown; those of plain subgraphs (a graph without policies) as well; the rest is ours: INTERNAL. */
  function toPublicError(error: GraphQLError): GraphQLFormattedError {
    const { code } = error.extensions;
    const path = error.path ? { path: error.path } : {};
    if (supergraph.requirements.size === 0)
      return { message: error.message, ...path, extensions: { ...error.extensions } };
    if (isErrorCode(code)) {
      const told = toDepartmentCode(code);
      const isOfTable = told === code && error.message.startsWith(ERRORS[code].en);
      return {
        message: isOfTable ? error.message : createError(told).message,
        ...path,
        extensions: { ...publicExtensions(error), code: told },
      };
    }
    // Without its message, which a department may have written about somebody.
    log.warn({ path: error.path ?? null }, 'an error outside the closed table was masked');
    const { message, extensions } = createError('INTERNAL');
    return { message, ...path, extensions };
  }
}

/**
 * An error of a field that was fetched for another's sake (@requires) and not asked for: it is told at the deepest place that
 * was. A denial there is not told: the field that needed it has its own, and the inner name is nobody's business.
 */
function atAskedPath(error: GraphQLError, data: unknown): GraphQLError | null {
  const path = error.path ?? [];
  let value = data;
  let asked = 0;
  for (; asked < path.length; asked++) {
    if (typeof value !== 'object' || value === null) return error;
    if (!Object.hasOwn(value, path[asked] as PropertyKey)) break;
    value = (value as Record<PropertyKey, unknown>)[path[asked] as PropertyKey];
  }
  if (asked === path.length) return error;
  const { code } = error.extensions;
  if (code === 'FORBIDDEN' || code === 'CONSENT_REQUIRED') return null;
  return new GraphQLError(error.message, { path: path.slice(0, asked), extensions: error.extensions });
}

/** A code with a status of its own speaks of a whole request: that between gateway and department, not the client's. */
function toDepartmentCode(code: ErrorCode): ErrorCode {
  return ERRORS[code].status === null || code === 'INTERNAL' ? code : 'DEPARTMENT_UNAVAILABLE';
}

/** Nothing of a refused request was executed: there is no `data`. */
function refuse(errors: readonly GraphQLError[]): GatewayAnswer {
  return {
    errors: errors.map((error) => ({
      message: error.message,
      ...(error.locations ? { locations: error.locations } : {}),
      ...(error.path ? { path: error.path } : {}),
      extensions: { code: 'INVALID_OPERATION', ...publicExtensions(error) },
    })),
  };
}

function publicExtensions({ extensions }: GraphQLError): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(extensions).filter(([name]) => name === 'code' || ERROR_FACTS.includes(name)),
  );
}
