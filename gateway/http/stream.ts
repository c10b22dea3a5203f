/** A stream of answers to one client: written piece by piece, each when the one before has gone out. */
import type { FastifyReply } from 'fastify';
import { once } from 'node:events';
import type { Logger } from 'pino';
import { createError } from '../../schema/errors.ts';
import type { Coding } from './compression.ts';
import { createEncoder } from './compression.ts';
import type { Frame } from './frames.ts';
import { isInTime } from './frames.ts';

export interface StreamsOptions {
  /** After so long a stream is cut: who asks is known from the beginning of a request, and tokens are withdrawn. */
  readonly lifeMs: number;
  /** How many that do not end by themselves one consumer may hold open. */
  readonly mostPerConsumer: number;
  /** The connection was made under certificates that are in force no more. */
  readonly isOutdated: (socket: unknown) => boolean;
  readonly log: Logger;
}

export interface Stream {
  readonly consumer: string;
  readonly frames: AsyncIterable<Frame>;
  readonly headers: Readonly<Record<string, string>>;
  readonly coding: Coding | null;
  /** Aborted when the client has left. */
  readonly signal: AbortSignal;
  /** It ends by itself; one that does not is cut at a shutdown, or when its connection is outdated. */
  readonly isBounded: boolean;
}

export interface Streams {
  /**
   * Resolves when all is written or nobody waits any more; the reply is sent by nobody else. Throws, with nothing sent, for
   * one that does not end by itself: RATE_LIMITED when the consumer holds too many, OVERLOADED at a shutdown.
   */
  send(reply: FastifyReply, stream: Stream): Promise<void>;
  /** Cuts those that do not end by themselves: their clients ask again, elsewhere. */
  close(): void;
}

export function createStreams({ lifeMs, mostPerConsumer, isOutdated, log }: StreamsOptions): Streams {
  /** How each is cut, and whose it is. */
  const unbounded = new Map<() => void, string>();
  let isClosing = false;

  function assertMayOpen(consumer: string): void {
    if (isClosing) throw createError('OVERLOADED');
    if ([...unbounded.values()].filter((other) => other === consumer).length < mostPerConsumer) return;
    throw createError('RATE_LIMITED', { extensions: { retryAfter: Math.ceil(lifeMs / 1_000) } });
  }

  return {
    async send(reply, { consumer, frames, headers, coding, signal, isBounded }) {
      if (!isBounded) assertMayOpen(consumer);
      const { raw } = reply.hijack();
      // A cut body is not taken for a whole one: neither its last chunk comes nor the mark of the end.
      const cut = () => void raw.destroy();
      const timer = setTimeout(cut, lifeMs).unref();
      if (!isBounded) unbounded.set(cut, consumer);
      const encoder = createEncoder(coding);
      try {
        for (const [name, value] of Object.entries({ ...reply.getHeaders(), ...headers }))
          if (value !== undefined) raw.setHeader(name, value);
        raw.flushHeaders();
        for await (const frame of frames) {
          const bytes = await encoder.encode(frame.text, frame.isLast);
          if (signal.aborted) return;
          // The last moment: a revocation that was acknowledged meanwhile must find nothing on its way.
          if (!isInTime(frame) || (!isBounded && isOutdated(raw.socket))) return cut();
          if (!raw.write(bytes)) await once(raw, 'drain', { signal });
        }
        // Kept alive, it would hold a shutdown up, or go on under what is in force no more.
        const { socket } = raw;
        raw.end(() => (isClosing || isOutdated(socket)) && socket?.end());
      } catch (error) {
        if (!signal.aborted) log.error({ err: error }, 'a stream of answers broke off');
        cut();
      } finally {
        clearTimeout(timer);
        unbounded.delete(cut);
        encoder.close();
      }
    },
    close() {
      isClosing = true;
      for (const cut of unbounded.keys()) cut();
    },
  };
}
