/** Departments → HTTP at /<name>/graphql, each behind the signature of the gateway. */
import { buildSubgraphSchema } from '@apollo/subgraph';
import { context as otelContext, propagation, trace } from '@opentelemetry/api';
import type { FastifyInstance } from 'fastify';
import Fastify from 'fastify';
import type { DocumentNode, ExecutionResult, GraphQLSchema } from 'graphql';
import { execute, GraphQLError, parse, validate } from 'graphql';
import { LRUCache } from 'lru-cache';
import type { KeyObject } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Clock } from '../adapters/clock.ts';
import { toSubgraphSdl } from '../schema/compose.ts';
import { createError, isErrorCode } from '../schema/errors.ts';
import type { PrincipalAssertion } from '../schema/principal.ts';
import { DEADLINE_HEADER, PRINCIPAL_HEADER, PrincipalError, verifyPrincipal } from '../schema/principal.ts';
import { withScalars } from '../schema/scalars.ts';
import type { SubjectIds } from '../schema/subject-id.ts';
import type { ConnectedSubgraph, DepartmentObserver, RequestScope } from './define.ts';
import { toSettings } from './define.ts';
import type { Department } from './discover.ts';
import type { AnnounceChange, Announcements } from './announcements.ts';
import { NO_ANNOUNCEMENTS, openAnnouncements, toChanges } from './announcements.ts';
import { assertGranted, itemsOf } from './guard.ts';
import { createCacheHints, graceOf } from './cache-hints.ts';
import { createReadMemory } from './read-memory.ts';
import type { ReplayGuard } from './replay.ts';
import { createReplayGuard } from './replay.ts';

export interface ServeOptions {
  readonly departments: readonly Department[];
  readonly listen: { readonly host: string; readonly port: number };
  /** Settings of the departments (see toSettings). */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The gateway's public key; there is no way to serve without it. */
  readonly gatewayKey: KeyObject;
  readonly subjectIds: SubjectIds;
  readonly clock: Clock;
  readonly observer: DepartmentObserver;
  readonly log: Logger;
  /** Most milliseconds that one department may take before its block says TIMEOUT. */
  readonly softDeadlineMs: number;
  /** Text of the metrics page, when this process has one of its own. */
  readonly metrics?: () => Promise<string>;
}

export interface RunningSubgraphs {
  readonly port: number;
  /** Department → URL of its GraphQL endpoint. */
  readonly urls: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

const BODY_LIMIT = 4 * 1024 * 1024;
/** Of all documents kept per department; parsed, each takes some twenty bytes a character. */
const MOST_CHARACTERS = 2 * 1024 * 1024;
const requestSchema = z.object({
  query: z.string(),
  variables: z.record(z.string(), z.unknown()).nullish(),
  operationName: z.string().nullish(),
});
const tracer = trace.getTracer('jinxin.subgraphs');

export async function serveSubgraphs(options: ServeOptions): Promise<RunningSubgraphs> {
  const app = Fastify({ bodyLimit: BODY_LIMIT, forceCloseConnections: true });
  // Nothing else is read: a text or a form is what a browser could send here.
  app.removeAllContentTypeParsers();
  // The body is kept as it came: the principal is signed for these very bytes.
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_, body, done) => done(null, body));
  app.get('/health/live', () => ({ status: 'live' }));
  app.get('/health/ready', () => ({
    status: 'ready',
    departments: options.departments.map(({ subgraph }) => subgraph.name),
  }));
  if (options.metrics) app.get('/metrics', options.metrics);

  const connected: ConnectedSubgraph[] = [];
  const replay = createReplayGuard();
  const announcements = announcementsOf(options);
  try {
    for (const department of options.departments)
      connected.push(await mount(app, department, options, { replay, announcements }));
    await app.listen(options.listen);
  } catch (error) {
    await Promise.allSettled([app.close(), ...connected.map((subgraph) => subgraph.close())]);
    await announcements.close();
    throw error;
  }
  const address = app.server.address();
  const port = typeof address === 'object' && address ? address.port : options.listen.port;
  return {
    port,
    urls: Object.fromEntries(
      options.departments.map(({ subgraph }) => [
        subgraph.name,
        `http://${options.listen.host}:${port}/${subgraph.name}/graphql`,
      ]),
    ),
    async close() {
      await app.close();
      await Promise.all(connected.map((subgraph) => subgraph.close()));
      await announcements.close();
    },
  };
}

function announcementsOf({ environment, log }: ServeOptions): Announcements {
  const platformUrl = environment['JINXIN_PLATFORM_URL'];
  return platformUrl === undefined
    ? NO_ANNOUNCEMENTS
    : openAnnouncements({ platformUrl, redisUrl: environment['REDIS_URL'] ?? null, log });
}

async function mount(
  app: FastifyInstance,
  department: Department,
  options: ServeOptions,
  { replay, announcements }: { readonly replay: ReplayGuard; readonly announcements: Announcements },
): Promise<ConnectedSubgraph> {
  const { subgraph, catalogue } = department;
  const log = options.log.child({ department: subgraph.name });
  const schema = withScalars(
    buildSubgraphSchema([
      { typeDefs: parse(toSubgraphSdl(department.sdl)), resolvers: subgraph.resolvers as never },
    ]),
  );
  const announce: AnnounceChange = (subjects) => announcements.owe(toChanges(subgraph.name, subjects));
  const connected = await subgraph.connect(
    {
      clock: options.clock,
      observer: options.observer,
      log,
      catalogue,
      subjectIds: options.subjectIds,
      announce,
    },
    toSettings(subgraph.name, options.environment),
  );
  const memory = createReadMemory();
  const documents = new LRUCache<string, CheckedDocument>({
    max: 1_000,
    maxSize: MOST_CHARACTERS,
    sizeCalculation: (_, query) => query.length,
  });

  app.post(`/${subgraph.name}/graphql`, async (request, reply) => {
    const body = typeof request.body === 'string' ? request.body : '';
    const token = request.headers[PRINCIPAL_HEADER];
    let assertion: PrincipalAssertion;
    try {
      // Wall time, not the departments' clock: the signature was made on another machine.
      const now = Date.now();
      const expected = { subgraph: subgraph.name, body };
      assertion = verifyPrincipal(options.gatewayKey, typeof token === 'string' ? token : '', expected, now);
      // Last: only what we have signed ourselves takes up memory.
      if (!replay.accept(assertion, now / 1_000)) throw new PrincipalError('used before');
    } catch (error) {
      if (!(error instanceof PrincipalError) && !(error instanceof SyntaxError)) throw error;
      log.warn({ reason: error.message }, 'refused a request without a valid principal');
      return reply.code(401).send({ errors: [createError('UNAUTHENTICATED').toJSON()] });
    }
    const parent = propagation.extract(otelContext.active(), request.headers);
    return tracer.startActiveSpan(`subgraph ${subgraph.name}`, {}, parent, async (span) => {
      const abort = new AbortController();
      const onClose = () => {
        if (!reply.raw.writableFinished) abort.abort(new DOMException('the gateway left', 'AbortError'));
      };
      reply.raw.on('close', onClose);
      const now = options.clock.now();
      const left = Math.min(
        Number(request.headers[DEADLINE_HEADER] ?? Infinity) || Infinity,
        options.softDeadlineMs,
      );
      const limit = options.clock.deadline(now + left, abort.signal);
      // A request of a hundred subjects is a hundred calls that listen for its end; that is no leak.
      setMaxListeners(0, limit.signal, abort.signal);
      try {
        const hints = createCacheHints();
        const scope: RequestScope = {
          principal: assertion.principal,
          clock: options.clock,
          catalogue,
          subjectIds: options.subjectIds,
          call: { signal: limit.signal, deadline: now + left },
          mayCache: hints.mayCache,
          noteRead(subject, read) {
            // What nobody keeps need not be announced.
            if (catalogue.maxAge > 0 && memory.isOther(subject, read)) announce([subject]);
          },
        };
        const { answer, items } = await run(schema, documents, body, assertion, department, {
          ...scope,
          loaders: connected.loaders(scope),
        });
        const kept = hints.of(body, graceOf(catalogue, items));
        return reply.send({
          ...(answer.errors ? { errors: answer.errors.map((error) => toPublicError(error, log)) } : {}),
          data: answer.data ?? null,
          ...(kept ? { extensions: { jinxin: kept } } : {}),
        });
      } finally {
        limit.end();
        reply.raw.off('close', onClose);
        span.end();
      }
    });
  });
  return connected;
}

interface CheckedDocument {
  readonly document: DocumentNode;
  readonly errors: readonly GraphQLError[];
  readonly items: readonly string[];
}

async function run(
  schema: GraphQLSchema,
  documents: LRUCache<string, CheckedDocument>,
  body: string,
  assertion: PrincipalAssertion,
  { catalogue }: Department,
  contextValue: unknown,
): Promise<{ readonly answer: ExecutionResult; readonly items: readonly string[] }> {
  try {
    const { query, variables, operationName } = requestSchema.parse(JSON.parse(body));
    let checked = documents.get(query);
    if (!checked) {
      const document = parse(query, { maxTokens: 20_000 });
      checked = { document, errors: validate(schema, document), items: itemsOf(schema, document) };
      documents.set(query, checked);
    }
    if (checked.errors.length > 0) return refusal(checked.errors);
    assertGranted(checked.items, assertion, catalogue);
    const answer = await execute({
      schema,
      document: checked.document,
      variableValues: variables ?? {},
      operationName: operationName ?? null,
      contextValue,
    });
    return { answer, items: checked.items };
  } catch (error) {
    if (error instanceof GraphQLError) return refusal([error]);
    if (error instanceof SyntaxError || error instanceof z.ZodError)
      return refusal([createError('BAD_REQUEST')]);
    throw error;
  }
}

const refusal = (errors: readonly GraphQLError[]) => ({ answer: { errors }, items: [] });

/** Only what stands in the closed table leaves a department; the rest is a defect, logged here and named INTERNAL. */
function toPublicError(error: GraphQLError, log: Logger): unknown {
  if (isErrorCode(error.extensions['code'])) return error.toJSON();
  // What graphql-js finds wrong with a value it quotes, and the value may be somebody's.
  const cause = error.originalError ?? error;
  log.error(
    cause instanceof GraphQLError ? { path: error.path ?? null } : { err: cause },
    'a resolver failed',
  );
  return createError('INTERNAL', error.path ? { path: error.path } : {}).toJSON();
}
