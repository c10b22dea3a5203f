/**
 * An adapter around an adapter: what keeps a slow, rate-limited, sometimes broken system from hurting its callers,
 * and our callers from hurting it.
 *
 * Order, outermost first: service window → quota → deadline → throttle → bulkhead → breaker → retry → the call.
 * An open breaker is asked first of all, so that nobody queues for a system that is known to be down; it is counted
 * innermost, so that waiting for a place, or a caller who left, is never held against the system.
 */
import { SpanStatusCode, trace } from '@opentelemetry/api';
import {
  BrokenCircuitError,
  bulkhead,
  BulkheadRejectedError,
  circuitBreaker,
  CircuitState,
  ConsecutiveBreaker,
  handleWhen,
} from 'cockatiel';
import type { Adapter, CallContext, LegacyFault, LegacyReply } from './adapter.ts';
import { isLegacyError, LegacyError } from './adapter.ts';
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
  /** Calls per day of the department's own time zone. */
  readonly dailyQuota?: number;
  /** True where asking twice does no harm; default never. At most one retry, and at most 10 % of calls. */
  readonly isSafeToRetry?: (request: Request) => boolean;
}

export type CallOutcome = 'ok' | LegacyFault;
export type BreakerState = 'closed' | 'open' | 'half-open';

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
  // A refusal is an answer: only a system that cannot be reached, hangs or babbles is given a rest.
  const breaker = circuitBreaker(
    handleWhen((error) => isLegacyError(error) && error.fault !== 'refused'),
    { halfOpenAfter: policy.breaker.coolDownMs, breaker: new ConsecutiveBreaker(policy.breaker.failures) },
  );
  breaker.onStateChange((state) => observer.breaker(system, toBreakerState(state)));
  const quota = createQuota(policy.dailyQuota, clock);
  const retries = createRetryBudget();

  async function attempt(request: Request, context: CallContext): Promise<LegacyReply> {
    retries.count();
    try {
      return await adapter.call(request, context);
    } catch (error) {
      const worth = isLegacyError(error) && error.fault === 'unavailable' && !context.signal.aborted;
      if (!worth || !policy.isSafeToRetry?.(request) || !retries.take()) throw error;
      return adapter.call(request, context);
    }
  }

  async function takePlace(
    request: Request,
    context: CallContext,
    caller: AbortSignal,
  ): Promise<LegacyReply> {
    if (breaker.state !== CircuitState.Open) await throttle?.(context.signal);
    return places.execute(() => {
      context.signal.throwIfAborted();
      return breaker.execute(async () => {
        try {
          return await attempt(request, context);
        } catch (error) {
          caller.throwIfAborted();
          throw error;
        }
      });
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
          quota(system);
          const reply = await untilAborted(takePlace(request, context, outer.signal), limit.signal);
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
  if (error instanceof BrokenCircuitError)
    return new LegacyError('unavailable', system, 'is given a rest after repeated failures', error);
  if (error instanceof BulkheadRejectedError)
    return new LegacyError('unavailable', system, 'has more calls waiting than it can take', error);
  return new LegacyError('malformed', system, 'failed in a way that its protocol does not know', error);
}

function toBreakerState(state: CircuitState): BreakerState {
  if (state === CircuitState.Closed) return 'closed';
  return state === CircuitState.HalfOpen ? 'half-open' : 'open';
}

/** Counts calls per day of China Standard Time (UTC+8, no daylight saving since 1992). */
function createQuota(daily: number | undefined, clock: Clock): (system: string) => void {
  let day = -1;
  let used = 0;
  return (system) => {
    if (daily === undefined) return;
    const today = Math.floor((clock.now() + 8 * 3_600_000) / 86_400_000);
    if (today !== day) [day, used] = [today, 0];
    if (used >= daily) throw new LegacyError('unavailable', system, 'has used up the quota of the day');
    used += 1;
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
