/** The routes: /graphql, /health/live, /health/ready, /metrics. GraphQL over HTTP, nothing of GraphQL itself. */
import { context, propagation } from '@opentelemetry/api';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import Fastify from 'fastify';
import { GraphQLError } from 'graphql';
import type { Logger } from 'pino';
import { gzipSync } from 'node:zlib';
import { z } from 'zod';
import { createError, ERRORS, isErrorCode } from '../../schema/errors.ts';
import type { ErrorCode } from '../../schema/errors.ts';
import type { Identify } from '../identity/tokens.ts';
import type { GatewayAnswer, GatewayRequest } from './graphql-over-http.ts';
import { negotiate, statusFor } from './graphql-over-http.ts';

export interface HttpOptions {
  readonly identify: Identify;
  readonly answer: (request: GatewayRequest) => Promise<GatewayAnswer>;
  readonly isReady: () => boolean;
  readonly metrics: () => Promise<string>;
  readonly observe: (milliseconds: number, outcome: string) => void;
  readonly explorer: { readonly html: string; readonly contentSecurityPolicy: string };
  readonly bodyLimit: number;
  readonly log: Logger;
}

const ALLOWED = 'GET, HEAD, POST, OPTIONS';

const bodySchema = z.object({
  query: z.string().min(1),
  variables: z.record(z.string(), z.unknown()).nullish(),
  operationName: z.string().nullish(),
  extensions: z.record(z.string(), z.unknown()).nullish(),
});

export function createHttp(options: HttpOptions): FastifyInstance {
  // Nine megabytes of one constant page: made ready to send once.
  const page = { plain: Buffer.from(options.explorer.html), gzip: gzipSync(options.explorer.html) };
  const app = Fastify({
    bodyLimit: options.bodyLimit,
    // On shutdown idle keep-alive connections are closed at once, and requests in flight are answered first.
    forceCloseConnections: 'idle',
    requestTimeout: 30_000,
    routerOptions: { ignoreTrailingSlash: true },
  });
  let isClosing = false;
  app.addHook('preClose', (done) => {
    isClosing = true;
    done();
  });
  app.addHook('onRequest', (_, reply, done) => {
    void reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    done();
  });
  // A connection that would be kept alive after its last answer would hold the shutdown up.
  app.addHook('onSend', (_, reply, payload, done) => {
    if (isClosing) void reply.header('connection', 'close');
    done(null, payload);
  });
  // Only JSON is read: a form or plain text body is what a foreign page can send without a preflight (CSRF).
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    // Compressed content is refused: what it unpacks to has no bound.
    if (!isUtf8(request.headers['content-type']) || request.headers['content-encoding'] !== undefined)
      return done(asHttpError('UNSUPPORTED_MEDIA_TYPE'), undefined);
    try {
      done(null, JSON.parse(body as string));
    } catch {
      done(asHttpError('BAD_REQUEST'), undefined);
    }
  });

  app.get('/health/live', () => ({ status: 'live' }));
  app.get('/health/ready', (_, reply) =>
    options.isReady() ? { status: 'ready' } : reply.code(503).send({ status: 'not ready' }),
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
    void reply
      .code(ERRORS[code].status ?? 500)
      .type(negotiate(request.headers.accept))
      .send(toBody(code));
  });
  return app;

  function serveExplorer(request: FastifyRequest, reply: FastifyReply) {
    if (!request.headers.accept?.includes('text/html')) return refuseMethod(request, reply, 'POST');
    const isGzip = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
    return reply
      .type('text/html; charset=utf-8')
      .header('content-security-policy', options.explorer.contentSecurityPolicy)
      .header('x-content-type-options', 'nosniff')
      .header('vary', 'accept, accept-encoding')
      .headers(isGzip ? { 'content-encoding': 'gzip' } : {})
      .send(isGzip ? page.gzip : page.plain);
  }

  async function serveGraphql(request: FastifyRequest, reply: FastifyReply) {
    const startedAt = performance.now();
    const type = negotiate(request.headers.accept);
    const parsed = bodySchema.safeParse(request.body);
    if (!parsed.success) return reply.code(400).type(type).send(toBody('BAD_REQUEST'));
    const abort = new AbortController();
    const onClose = () => {
      if (!reply.raw.writableFinished) abort.abort(new DOMException('the client left', 'AbortError'));
    };
    reply.raw.on('close', onClose);
    try {
      const principal = await options.identify({
        authorization: request.headers.authorization,
        purpose: headerOf(request, 'jinxin-purpose'),
      });
      const ask = (asked: GatewayRequest) =>
        context.with(propagation.extract(context.active(), request.headers), () => options.answer(asked));
      const { leaveBy = Infinity, ...answer } = await ask({
        principal,
        consumer: principal.kind === 'public' ? `address ${request.ip}` : principal.id,
        query: parsed.data.query,
        variables: parsed.data.variables ?? {},
        operationName: parsed.data.operationName ?? null,
        signal: abort.signal,
        idempotencyKey: headerOf(request, 'idempotency-key') ?? null,
      });
      const { status, headers } = statusFor(answer, type);
      options.observe(performance.now() - startedAt, answer.errors ? 'errors' : 'ok');
      const text = JSON.stringify(answer);
      // The last moment: a revocation that was acknowledged meanwhile must find nothing on its way.
      if (performance.now() > leaveBy) throw createError('OVERLOADED');
      return reply.code(status).headers(headers).type(type).send(text);
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error;
      const code = codeOf(error);
      options.observe(performance.now() - startedAt, 'refused');
      if (code === 'UNAUTHENTICATED') void reply.header('www-authenticate', 'Bearer');
      return reply
        .code(ERRORS[code].status ?? 400)
        .type(type)
        .send(JSON.stringify({ errors: [error.toJSON()] }));
    } finally {
      reply.raw.off('close', onClose);
    }
  }
}

function refuseMethod(request: FastifyRequest, reply: FastifyReply, allowed: string) {
  return reply
    .code(405)
    .header('allow', allowed)
    .type(negotiate(request.headers.accept))
    .send(toBody('BAD_REQUEST'));
}

function isUtf8(contentType: string | undefined): boolean {
  const charset = /;\s*charset="?([^";]+)"?/i.exec(contentType ?? '')?.[1];
  return (
    charset === undefined ||
    charset.trim().toLowerCase() === 'utf-8' ||
    charset.trim().toLowerCase() === 'utf8'
  );
}

function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function asHttpError(code: ErrorCode): Error {
  return createError(code);
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

function toBody(code: ErrorCode): string {
  return JSON.stringify({ errors: [createError(code).toJSON()] });
}
