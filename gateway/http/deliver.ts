/** An answer of the gateway on its way to the client: whole, in parts, or event by event. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { createError } from '../../schema/errors.ts';
import type { PrincipalKind } from '../../schema/purpose.ts';
import type { Coding } from './compression.ts';
import { chooseCoding, encodeAnswer } from './compression.ts';
import type { Delivery } from './delivery.ts';
import type { Frame } from './frames.ts';
import { framesOfEvents, framesOfOne, framesOfParts, isInTime } from './frames.ts';
import type { Framing } from './framing.ts';
import { EVENT_STREAM, frameEvents, frameParts } from './framing.ts';
import type { GatewayAnswer, GatewayReply } from './graphql-over-http.ts';
import { isStream, statusFor } from './graphql-over-http.ts';
import { letGo } from './listen.ts';
import type { Streams } from './stream.ts';

export interface DeliverOptions {
  readonly streams: Streams;
  /** A stream in which nothing was said for so long says that it is there; milliseconds. */
  readonly beatMs: number;
  readonly log: Logger;
}

export interface Asker {
  /** Whose streams are counted together. */
  readonly consumer: string;
  readonly kind: PrincipalKind;
  readonly delivery: Delivery;
  /** Aborted when the client has left. */
  readonly signal: AbortSignal;
}

export type Deliver = (
  request: FastifyRequest,
  reply: FastifyReply,
  answer: GatewayReply,
  asker: Asker,
) => Promise<FastifyReply>;

/**
 * Throws OVERLOADED when the answer comes too late to leave or at a shutdown, RATE_LIMITED when its consumer holds too many streams open;
 * nothing was sent then.
 */
export function createDeliver(options: DeliverOptions): Deliver {
  return async (request, reply, answer, asker) => {
    void reply.header('vary', 'accept, accept-encoding');
    // What a subject reads of itself may hold what others wrote for it to read: that is never compressed (decision 0012).
    const coding = asker.kind === 'subject' ? null : chooseCoding(request.headers['accept-encoding']);
    const { type, isEventStream } = asker.delivery;
    const isWhole = !isStream(answer) && !(isEventStream && 'data' in answer);
    if (isWhole) return sendWhole(reply, answer, type, coding);
    try {
      const { framing, ...stream } = toStream(answer, asker, options);
      const { consumer, signal } = asker;
      await options.streams.send(reply, {
        ...stream,
        consumer,
        headers: toHeaders(framing, coding),
        coding,
        signal,
      });
      return reply;
    } finally {
      // However it ended, and if it did not begin.
      if (isStream(answer)) letGo(answer.kind === 'events' ? answer.answers : answer.parts);
    }
  };
}

function toStream(
  answer: GatewayReply,
  { delivery, signal }: Asker,
  { beatMs, log }: DeliverOptions,
): { readonly framing: Framing; readonly frames: AsyncIterable<Frame>; readonly isBounded: boolean } {
  if (!isStream(answer)) {
    const framing = EVENT_STREAM;
    return { framing, frames: framesOfOne(inTime(answer), framing), isBounded: true };
  }
  const { parts, events } = delivery;
  if (answer.kind === 'events') {
    if (!events) throw new Error('events for a client that takes none');
    const framing = frameEvents(events);
    const frames = framesOfEvents(answer, { framing, signal, beatMs, log });
    return { framing, frames, isBounded: false };
  }
  if (!parts) throw new Error('parts for a client that takes none');
  inTime(answer.first);
  const framing = frameParts(parts.envelope, parts.format);
  const frames = framesOfParts(answer, parts.format, { framing, signal, beatMs, log });
  return { framing, frames, isBounded: true };
}

async function sendWhole(reply: FastifyReply, answer: GatewayAnswer, type: string, coding: Coding | null) {
  const { leaveBy: _, ...told } = answer;
  const { status, headers } = statusFor(told, type);
  const encoded = await encodeAnswer(JSON.stringify(told), coding);
  // The last moment: a revocation that was acknowledged meanwhile must find nothing on its way.
  inTime(answer);
  return reply
    .code(status)
    .headers(headers)
    .type(type)
    .headers(encoded.coding === null ? {} : { 'content-encoding': encoded.coding })
    .send(encoded.body);
}

function inTime<T extends GatewayAnswer>(answer: T): T {
  if (!isInTime(answer)) throw createError('OVERLOADED');
  return answer;
}

/** A proxy that gathers what it passes on would hold the first part back until the last. */
function toHeaders({ type }: Framing, coding: Coding | null): Record<string, string> {
  return {
    'content-type': type,
    'x-accel-buffering': 'no',
    ...(coding === null ? {} : { 'content-encoding': coding }),
  };
}
