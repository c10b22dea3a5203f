/**
 * The server before its framework. In an overload two of three requests are refused, so a refusal must cost a small part of
 * an answer: this one is written before a route is looked for and before the body is read. The same bytes for everybody.
 */
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { createError } from '../../schema/errors.ts';
import { toDelivery } from './delivery.ts';

/** Seconds after which one may ask again who is turned away; null: he may go on. */
export type TurnAway = (request: IncomingMessage) => number | null;

/** Puts the door before whoever listens to this server's requests so far. */
export function putDoor(server: Server, turnAway: TurnAway): void {
  const listeners = server.listeners('request') as RequestListener[];
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    const wait = isAsked(request) ? turnAway(request) : null;
    if (wait !== null) refuse(request, response, wait);
    else for (const listener of listeners) listener.call(server, request, response);
  });
}

/** Health, metrics and the explorer are never turned away. */
function isAsked({ method, url = '' }: IncomingMessage): boolean {
  return method === 'POST' && /^\/graphql\/?(\?|$)/.test(url);
}

const bodies = new Map<number, Buffer>();

function bodyFor(retryAfter: number): Buffer {
  const known = bodies.get(retryAfter);
  if (known) return known;
  const error = createError('OVERLOADED', { extensions: { retryAfter } });
  const body = Buffer.from(JSON.stringify({ errors: [error.toJSON()] }));
  bodies.set(retryAfter, body);
  return body;
}

function refuse(request: IncomingMessage, response: ServerResponse, retryAfter: number): void {
  const body = bodyFor(retryAfter);
  response
    .writeHead(503, {
      'content-type': toDelivery(request.headers.accept).type,
      'content-length': body.length,
      'retry-after': String(retryAfter),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    })
    .end(body);
}
