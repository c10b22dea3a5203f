/** The routes: /graphql, /health/live, /health/ready, /metrics. GraphQL over HTTP, nothing of GraphQL itself. */
import { context, propagation } from '@opentelemetry/api';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import Fastify from 'fastify';
import { GraphQLError } from 'graphql';
import type { Logger } from 'pino';
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { z } from 'zod';
import { createError, ERRORS, isErrorCode } from '../../schema/errors.ts';
import type { ErrorCode } from '../../schema/errors.ts';
import type { Identify } from '../identity/identify.ts';
import type { Admission } from '../limits/admission.ts';
import type { Caller, Urgencies } from '../limits/urgency.ts';
import { readBody } from './body.ts';
import { accepts } from './compression.ts';
import { createDeliver } from './deliver.ts';
import { toDelivery } from './delivery.ts';
import { putDoor } from './door.ts';
import { createStreams } from './stream.ts';
import { hasRepeatedHeader, idempotencyKeyOf, isUtf8Json } from './request-headers.ts';
import { toNetwork } from './network.ts';
import type { TlsDoor } from './tls.ts';
import { parseUniqueJson } from './unique-json.ts';
import type { GraphStatus } from '../reload/reload.ts';
import type { GatewayReply, GatewayRequest } from './graphql-over-http.ts';
import { isStream, statusFor } from './graphql-over-http.ts';
import { documentIdOf } from '../operations/registered.ts';

export interface HttpOptions {
  readonly identify: Identify;
  readonly answer: (request: GatewayRequest) => Promise<GatewayReply>;
  readonly isReady: () => boolean;
  /** What is told of the supergraph to whoever asks whether the gateway is ready. */
  readonly supergraph?: () => GraphStatus;
  readonly metrics: () => Promise<string>;
  readonly observe: (milliseconds: number, outcome: string) => void;
  readonly explorer: { readonly html: string; readonly contentSecurityPolicy: string };
  /** Who is let in when more is asked than can be done; without it everybody is. Only /graphql is ever refused. */
  readonly overload?: { readonly admission: Admission; readonly urgencies: Urgencies };
  readonly bodyLimit: number;
  /** For the whole of a request to arrive; 30 s by default. */
  readonly requestTimeoutMs?: number;
  /** Streams of answers say that they are there after so long without a word; 12 s by default. */
  readonly beatMs?: number;
  /** A stream is cut after so long; five minutes by default, as long as a withdrawn key may be taken (decision 0012). */
  readonly streamLifeMs?: number;
  /** Subscriptions that one consumer may hold open at this process; 100 by default. */
  readonly subscriptionsPerConsumer?: number;
  /** Without it the door is plain HTTP: behind whatever ends TLS. */
  readonly tls?: TlsDoor | null;
  readonly log: Logger;
}

const SERVER_LIMITS = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  connectionsCheckingInterval: 1_000,
};
const ALLOWED = 'GET, HEAD, POST, OPTIONS';

/** No library below keeps a variable of this name: it would be taken for one that was not given. */
const variablesSchema = z
  .custom<Record<string, unknown>>((value) => !Object.hasOwn(Object(value) as object, '__proto__'))
  .pipe(z.record(z.string(), z.unknown()));
const requestSchema = z.object({
  query: z
    .string()
    .min(1)
    .refine((text) => !/\$__proto__\b/.test(text))
    .optional(),
  documentId: z.string().max(128).nullish(),
  variables: variablesSchema.nullish(),
  operationName: z.string().nullish(),
  extensions: z.record(z.string(), z.unknown()).nullish(),
});
const bodySchema = requestSchema.refine(
  (body) => body.query !== undefined || documentIdOf(body) !== null,
  'a text or the id of one',
);

export function createHttp(options: HttpOptions): FastifyInstance {
  // Nine megabytes of one constant page: made ready to send once.
  const page = { plain: Buffer.from(options.explorer.html), gzip: gzipSync(options.explorer.html) };
  const app = Fastify({
    bodyLimit: options.bodyLimit,
    // On shutdown idle keep-alive connections are closed at once, and requests in flight are answered first.
    forceCloseConnections: 'idle',
    // Headers and body must be there by then; looked at every second, for a sender of one byte at a time.
    requestTimeout: options.requestTimeoutMs ?? 30_000,
    ...(options.tls ? { https: { ...SERVER_LIMITS, ...options.tls.options } } : { http: SERVER_LIMITS }),
    routerOptions: { ignoreTrailingSlash: true },
  });
  // All that fit into the sixteen kilobytes, not the first so many: none is dropped unseen.
  app.server.maxHeadersCount = 0;
  const isOutdated = (socket: unknown) => options.tls?.isOutdated(socket) ?? false;
  const streams = createStreams({
    lifeMs: options.streamLifeMs ?? 300_000,
    mostPerConsumer: options.subscriptionsPerConsumer ?? 100,
    isOutdated,
    log: options.log,
  });
  const deliver = createDeliver({ streams, beatMs: options.beatMs ?? 12_000, log: options.log });
  let isClosing = false;
  const { overload } = options;
  // Once the gateway is closing the framework ends connections with their answers.
  if (overload)
    putDoor(app.server, (request) =>
      isClosing ? null : overload.admission.turnAway(overload.urgencies.ofCaller(callerOf(request))),
    );
  app.addHook('preClose', (done) => {
    isClosing = true;
    streams.close();
    done();
  });
  app.addHook('onRequest', (_, reply, done) => {
    void reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    done();
  });
  // A connection that would be kept alive after its last answer would hold the shutdown up.
  app.addHook('onSend', (request, reply, payload, done) => {
    if (isClosing || isOutdated(request.raw.socket)) void reply.header('connection', 'close');
    done(null, payload);
  });
  app.addHook('onRequest', (request, _, done) => {
    done(hasRepeatedHeader(request.raw.rawHeaders) ? createError('BAD_REQUEST') : undefined);
  });
  // Only JSON is read: a form or plain text body is what a foreign page can send without a preflight (CSRF).
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', (request: FastifyRequest, payload: Readable) =>
    readJson(request, payload, options.bodyLimit),
  );

  app.get('/health/live', () => ({ status: 'live' }));
  app.get('/health/ready', (_, reply) =>
    options.isReady()
      ? { status: 'ready', supergraph: options.supergraph?.() }
      : reply.code(503).send({ status: 'not ready' }),
  );
  app.get('/metrics', async (_, reply) =>
    reply.type('text/plain; version=0.0.4').send(await options.metrics()),
  );
  app.get('/', (_, reply) => reply.redirect('/graphql'));
  app.get('/graphql', (request, reply) => serveExplorer(request, reply));
  app.post('/graphql', (request, reply) => serveGraphql(request, reply));
  app.route({
    method: ['PUT', 'PATCH', 'DELETE'],
    url: '/graphql',
    handler: (request, reply) => refuseMethod(request, reply, ALLOWED),
  });
  // No foreign page is let in: there are no access-control headers.
  app.options('/graphql', (_, reply) => reply.code(204).header('allow', ALLOWED).send());
  app.setErrorHandler((error, request, reply) => {
    const code = codeOf(error);
    if (code === 'INTERNAL') options.log.error({ err: error }, 'a request failed outside of GraphQL');
    const { type } = toDelivery(request.headers.accept);
    const told = error instanceof GraphQLError ? error : createError(code);
    void reply
      .headers(statusFor({ errors: [told.toJSON()] }, type).headers)
      .code(ERRORS[code].status ?? 500)
      .type(type)
      .send(toBody(code));
  });
  return app;

  function serveExplorer(request: FastifyRequest, reply: FastifyReply) {
    // A content type on a request without content is how a foreign page passes for one that needs no preflight.
    if (request.headers['content-type'] !== undefined) throw createError('UNSUPPORTED_MEDIA_TYPE');
    if (!request.headers.accept?.includes('text/html')) return refuseMethod(request, reply, 'POST');
    const isGzip = accepts(request.headers['accept-encoding'], 'gzip');
    return reply
      .type('text/html; charset=utf-8')
      .header('content-security-policy', options.explorer.contentSecurityPolicy)
      .header('x-content-type-options', 'nosniff')
      .header('vary', 'accept, accept-encoding')
      .headers(isGzip ? { 'content-encoding': 'gzip' } : {})
      .send(isGzip ? page.gzip : page.plain);
  }

  function callerOf(request: IncomingMessage): Caller {
    const certificate = options.tls?.certificateOf(request.socket) ?? null;
    return {
      authorization: request.headers.authorization,
      isCertified: certificate?.isTrusted ?? false,
    };
  }

  async function serveGraphql(request: FastifyRequest, reply: FastifyReply) {
    const startedAt = performance.now();
    const delivery = toDelivery(request.headers.accept);
    const { type } = delivery;
    const parsed = bodySchema.safeParse(request.body);
    const idempotencyKey = idempotencyKeyOf(request.headers);
    if (!parsed.success || idempotencyKey === undefined)
      return reply.code(400).type(type).send(toBody('BAD_REQUEST'));
    const abort = new AbortController();
    const onClose = () => {
      if (!reply.raw.writableFinished) abort.abort(new DOMException('the client left', 'AbortError'));
    };
    reply.raw.on('close', onClose);
    const bytes = Number(request.headers['content-length'] ?? 0) || 0;
    const asked = {
      query: parsed.data.query ?? '',
      documentId: documentIdOf(parsed.data),
      variables: parsed.data.variables ?? {},
    };
    let isInside = false;
    try {
      // Before identity: verifying a signature is work, too. Who it is was found out when the same came before.
      const caller = callerOf(request.raw);
      await options.overload?.admission.enter({
        ...options.overload.urgencies.of(caller, { ...asked, bytes }),
        signal: abort.signal,
      });
      isInside = true;
      const principal = await options.identify({
        authorization: request.headers.authorization,
        purpose: headerOf(request, 'jinxin-purpose'),
        certificate: options.tls?.certificateOf(request.raw.socket) ?? null,
      });
      if (principal.kind !== 'public') options.overload?.urgencies.noteIdentified(caller);
      const ask = (whole: GatewayRequest) =>
        context.with(propagation.extract(context.active(), request.headers), () => options.answer(whole));
      const consumer = principal.kind === 'public' ? `address ${toNetwork(request.ip)}` : principal.id;
      const answer = await ask({
        ...asked,
        principal,
        consumer,
        operationName: parsed.data.operationName ?? null,
        idempotencyKey,
        onCost: (cost) => options.overload?.urgencies.noteCost({ ...asked, bytes }, cost),
        signal: abort.signal,
        takes: { parts: delivery.parts !== null, events: delivery.events !== null },
      });
      // A stream is measured to its beginning: how long it lasts says nothing of us.
      options.observe(performance.now() - startedAt, outcomeOf(answer));
      const { signal } = abort;
      return await deliver(request, reply, answer, { kind: principal.kind, consumer, delivery, signal });
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error;
      const code = codeOf(error);
      options.observe(performance.now() - startedAt, 'refused');
      if (code === 'UNAUTHENTICATED') void reply.header('www-authenticate', 'Bearer');
      return reply
        .code(ERRORS[code].status ?? 400)
        .headers(statusFor({ errors: [error.toJSON()] }, type).headers)
        .type(type)
        .send(JSON.stringify({ errors: [error.toJSON()] }));
    } finally {
      reply.raw.off('close', onClose);
      if (isInside) options.overload?.admission.leave();
    }
  }
}

function outcomeOf(answer: GatewayReply): string {
  if (!isStream(answer)) return answer.errors ? 'errors' : 'ok';
  return answer.kind === 'deferred' && answer.first.errors ? 'errors' : 'ok';
}

function refuseMethod(request: FastifyRequest, reply: FastifyReply, allowed: string) {
  return reply
    .code(405)
    .header('allow', allowed)
    .type(toDelivery(request.headers.accept).type)
    .send(toBody('BAD_REQUEST', 'Operations are sent by POST.'));
}

/** Throws what is wrong with it, in the words of our table. */
async function readJson(request: FastifyRequest, payload: Readable, limit: number): Promise<unknown> {
  const { headers } = request;
  if (!isUtf8Json(headers['content-type'])) throw createError('UNSUPPORTED_MEDIA_TYPE');
  if (Number(headers['content-length'] ?? 0) > limit) throw createError('REQUEST_TOO_LARGE');
  const text = await readBody(payload, headers['content-encoding'], limit);
  try {
    return parseUniqueJson(text);
  } catch {
    throw createError('BAD_REQUEST');
  }
}

function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** What fastify itself refuses (too large, wrong content type), in the words of our table. */
function codeOf(error: unknown): ErrorCode {
  if (error instanceof GraphQLError && isErrorCode(error.extensions['code'])) return error.extensions['code'];
  const status =
    typeof error === 'object' && error !== null && 'statusCode' in error ? error.statusCode : 500;
  if (status === 413) return 'REQUEST_TOO_LARGE';
  if (status === 415) return 'UNSUPPORTED_MEDIA_TYPE';
  return typeof status === 'number' && status < 500 ? 'BAD_REQUEST' : 'INTERNAL';
}

function toBody(code: ErrorCode, detail?: string): string {
  const error = createError(code, detail === undefined ? {} : { detail });
  return JSON.stringify({ errors: [error.toJSON()] });
}
