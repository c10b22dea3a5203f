/**
 * An adapter around an adapter: what keeps a slow, rate-limited, sometimes broken system from hurting its callers,
 * and our callers from hurting it.
 *
 * Order, outermost first: service window → deadline → throttle → bulkhead → breaker → quota → retry → the call.
 * An open breaker and a quota that is used up are asked first of all, so that nobody queues for a system that will not be
 * asked; both are counted innermost: what never reached the system uses up no quota, and waiting for a place, or a caller
 * who left, is never held against the system.
 */
import { SpanStatusCode, trace } from '@opentelemetry/api';
import { bulkhead, BulkheadRejectedError } from 'cockatiel';
import type { Adapter, CallContext, LegacyFault, LegacyReply } from './adapter.ts';
import { isLegacyError, LegacyError } from './adapter.ts';
import type { BreakerState, CallVerdict } from './breaker.ts';
import { createBreaker } from './breaker.ts';
import type { Clock } from './clock.ts';
import { createThrottle } from './throttle.ts';
import type { ServiceWindow } from './window.ts';
import { isWithin } from './window.ts';

export interface ResiliencePolicy<Request> {
  /** Most time one call may take, ms; the caller's own deadline still cuts it shorter. */
  readonly deadlineMs: number;
  /** Calls in flight, and calls waiting for a place. */
  readonly concurrency: number;
  readonly queue: number;
  /** Calls a second that the department grants us; calls beyond it wait their turn, up to their deadline. */
  readonly throttle?: { readonly perSecond: number; readonly burst: number };
  /** After `failures` in a row the system is left alone for `coolDownMs`, then asked once. */
  readonly breaker: { readonly failures: number; readonly coolDownMs: number };
  readonly window?: ServiceWindow;
  /** Calls that reach the system, retries included, per day of the department's own time zone. */
  readonly dailyQuota?: number;
  /** True where asking twice does no harm; default never. At most one retry, and at most 10 % of calls. */
  readonly isSafeToRetry?: (request: Request) => boolean;
}

export type CallOutcome = 'ok' | LegacyFault;
export type { BreakerState };

/** Where the calls are counted; the runner turns it into metrics. */
export interface CallObserver {
  called(system: string, outcome: CallOutcome, milliseconds: number): void;
  breaker(system: string, state: BreakerState): void;
}

const RETRY_BUDGET = 0.1;
const tracer = trace.getTracer('jinxin.adapters');

export function createResilientAdapter<Request>(
  adapter: Adapter<Request>,
  policy: ResiliencePolicy<Request>,
  { clock, observer }: { clock: Clock; observer: CallObserver },
): Adapter<Request> {
  const { system } = adapter;
  const places = bulkhead(policy.concurrency, policy.queue);
  const throttle = policy.throttle ? createThrottle(policy.throttle, clock) : null;
  const breaker = createBreaker(policy.breaker, clock, (state) => observer.breaker(system, state));
  const quota = createQuota(policy.dailyQuota, clock);
  const retries = createRetryBudget();

  function assertMayBeAsked(): void {
    if (breaker.isClosedTo()) throw resting();
    if (!quota.isLeft()) throw new LegacyError('unavailable', system, 'has used up the quota of the day');
  }

  const resting = () => new LegacyError('unavailable', system, 'is given a rest after repeated failures');

  async function attempt(request: Request, context: CallContext): Promise<LegacyReply> {
    retries.count();
    quota.take();
    try {
      return await adapter.call(request, context);
    } catch (error) {
      const worth = isLegacyError(error) && error.fault === 'unavailable' && !context.signal.aborted;
      if (!worth || !policy.isSafeToRetry?.(request) || !quota.isLeft() || !retries.take()) throw error;
      quota.take();
      return adapter.call(request, context);
    }
  }

  async function takePlace(request: Request, context: CallContext): Promise<LegacyReply> {
    assertMayBeAsked();
    await throttle?.(context.signal);
    return places.execute(async () => {
      context.signal.throwIfAborted();
      assertMayBeAsked();
      const tell = breaker.enter();
      if (!tell) throw resting();
      const startedAt = clock.now();
      try {
        const reply = await attempt(request, context);
        tell('answered');
        return reply;
      } catch (error) {
        tell(toVerdict(error, context, clock.now() - startedAt >= policy.deadlineMs / 2));
        throw error;
      }
    });
  }

  return {
    system,
    protocol: adapter.protocol,
    close: () => adapter.close(),
    call(request, outer) {
      return tracer.startActiveSpan(`legacy ${adapter.protocol}`, async (span) => {
        span.setAttributes({ 'jinxin.system': system, 'jinxin.protocol': adapter.protocol });
        const startedAt = clock.now();
        const at = Math.min(outer.deadline, startedAt + policy.deadlineMs);
        const limit = clock.deadline(at, outer.signal);
        const context: CallContext = { signal: limit.signal, deadline: at };
        try {
          if (policy.window && !isWithin(policy.window, clock.now()))
            throw new LegacyError('unavailable', system, 'is outside its service window');
          const reply = await untilAborted(takePlace(request, context), limit.signal);
          observer.called(system, 'ok', clock.now() - startedAt);
          return reply;
        } catch (error) {
          const fault = toLegacyError(error, system, limit.signal);
          span.setStatus({ code: SpanStatusCode.ERROR, message: fault.fault });
          observer.called(system, fault.fault, clock.now() - startedAt);
          throw fault;
        } finally {
          limit.end();
          span.end();
        }
      });
    },
  };
}

/** The caller gets its answer at the deadline even when an adapter is slow to notice the abort. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function toLegacyError(error: unknown, system: string, signal: AbortSignal): LegacyError {
  if (signal.aborted) return new LegacyError('timeout', system, 'did not answer before the deadline', error);
  if (isLegacyError(error)) return error;
  if (error instanceof BulkheadRejectedError)
    return new LegacyError('unavailable', system, 'has more calls waiting than it can take', error);
  return new LegacyError('malformed', system, 'failed in a way that its protocol does not know', error);
}

/**
 * What a failed call says about the system. A refusal is an answer: only a system that cannot be reached, hangs or babbles
 * is given a rest. Time that ran out is held against it when it had time enough (`hadTime`), whoever's deadline it was: a
 * request's is as long as a call's, and ends first. An exception that no adapter throws is our own defect.
 */
function toVerdict(error: unknown, { signal }: CallContext, hadTime: boolean): CallVerdict {
  if (signal.aborted) return isTimeUp(signal.reason) && hadTime ? 'failed' : 'unknown';
  if (!isLegacyError(error)) return 'unknown';
  return error.fault === 'refused' ? 'answered' : 'failed';
}

/** As `Clock.deadline` aborts; a caller who leaves aborts with something else. */
const isTimeUp = (reason: unknown): boolean =>
  reason instanceof DOMException && reason.name === 'TimeoutError';

/** Counts calls per day of China Standard Time (UTC+8, no daylight saving since 1992). */
function createQuota(daily: number | undefined, clock: Clock): { isLeft(): boolean; take(): void } {
  let day = -1;
  let used = 0;
  function usedToday(): number {
    const today = Math.floor((clock.now() + 8 * 3_600_000) / 86_400_000);
    if (today !== day) [day, used] = [today, 0];
    return used;
  }
  return {
    isLeft: () => daily === undefined || usedToday() < daily,
    take: () => void (used = usedToday() + 1),
  };
}

/** One retry for every ten calls made, at least one to begin with: an outage is never amplified by more than a tenth. */
function createRetryBudget(): { count(): void; take(): boolean } {
  let tokens = 1;
  return {
    count() {
      tokens = Math.min(10, tokens + RETRY_BUDGET);
    },
    take() {
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
}
