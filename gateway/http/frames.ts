/** The pieces that a stream of answers is written in: what each says, and until when it may leave. */
import { GraphQLError } from 'graphql';
import type { Logger } from 'pino';
import { createError, isErrorCode } from '../../schema/errors.ts';
import type { PartsFormat } from './delivery.ts';
import type { Framing } from './framing.ts';
import type { DeferredAnswer, EventsAnswer, GatewayAnswer } from './graphql-over-http.ts';
import { createIncremental } from './incremental.ts';
import type { Payload } from './incremental.ts';
import { BEAT, listen } from './listen.ts';

export interface Frame {
  readonly text: string;
  /** `performance.now()`; Infinity when it rests on nothing that could be revoked. */
  readonly leaveBy: number;
  readonly isLast: boolean;
}

export interface FrameOptions {
  readonly framing: Framing;
  /** Aborted when nobody waits any more: then there are no further frames, and not the last one either. */
  readonly signal: AbortSignal;
  /** Silence that proxies bear, milliseconds. */
  readonly beatMs: number;
  readonly log: Logger;
}

const toFrame = (text: string, leaveBy = Infinity, isLast = false): Frame => ({ text, leaveBy, isLast });

/** The parts of one answer. What is too late to leave fails with all that is still to come. */
export async function* framesOfParts(
  answer: DeferredAnswer,
  format: PartsFormat,
  { framing, signal, beatMs, log }: FrameOptions,
): AsyncGenerator<Frame, void> {
  const incremental = createIncremental(answer, format);
  const frame = (payload: Payload, leaveBy?: number) =>
    incremental.hasNext()
      ? toFrame(framing.payload(payload), leaveBy)
      : toFrame(framing.payload(payload) + framing.end, leaveBy, true);
  try {
    const first = incremental.first();
    yield toFrame(framing.open + framing.payload(first), answer.first.leaveBy);
    for await (const part of listen(answer.parts, signal, framing.beat === null ? null : beatMs)) {
      if (part === BEAT) yield toFrame(framing.beat ?? '');
      else {
        assertInTime(part);
        yield frame(incremental.next(part), part.leaveBy);
        if (!incremental.hasNext()) return;
      }
    }
    if (!signal.aborted) throw new Error('a deferred answer ended before all of it had come');
  } catch (error) {
    yield frame(incremental.fail(toPublicError(error, log)));
  }
}

/** The events of a subscription. One that is too late to leave is told as an error; the next may be in time. */
export async function* framesOfEvents(
  { answers }: EventsAnswer,
  { framing, signal, beatMs, log }: FrameOptions,
): AsyncGenerator<Frame, void> {
  if (framing.open !== '') yield toFrame(framing.open);
  try {
    for await (const answer of listen(answers, signal, beatMs))
      if (answer === BEAT) yield toFrame(framing.beat ?? '');
      else {
        const { leaveBy, ...body } = isInTime(answer) ? answer : { errors: [createError('OVERLOADED')] };
        yield toFrame(framing.payload(body), leaveBy);
      }
  } catch (error) {
    yield toFrame(framing.payload({ errors: [toPublicError(error, log)] }));
  }
  if (!signal.aborted) yield toFrame(framing.end, Infinity, true);
}

/** One answer, for those who read nothing but streams. */
export async function* framesOfOne(
  { leaveBy, ...body }: GatewayAnswer,
  framing: Framing,
): AsyncGenerator<Frame, void> {
  yield toFrame(framing.open + framing.payload(body) + framing.end, leaveBy, true);
}

export function isInTime({ leaveBy = Infinity }: Pick<GatewayAnswer, 'leaveBy'>): boolean {
  return performance.now() <= leaveBy;
}

function assertInTime(answer: GatewayAnswer): void {
  if (!isInTime(answer)) throw createError('OVERLOADED');
}

function toPublicError(error: unknown, log: Logger): GraphQLError {
  // Any other error may quote what nobody but its department may read.
  if (error instanceof GraphQLError && isErrorCode(error.extensions['code'])) return error;
  log.error({ err: error }, 'a stream of answers failed');
  return createError('INTERNAL');
}
