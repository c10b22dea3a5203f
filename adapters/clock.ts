import { setTimeout as delay } from 'node:timers/promises';

/** Time as an argument: the wall clock in production, a faster or a standing one in tests. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after `ms` of this clock; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** A signal that aborts when this clock reads `at` (a time of `now()`), or when `parent` aborts. Release it with `end()`. */
  deadline(at: number, parent?: AbortSignal): { readonly signal: AbortSignal; end(): void };
}

export const systemClock: Clock = createClock(1);

/**
 * A clock that runs `factor` times as fast as the wall: a department's ten seconds pass in ten milliseconds at 1000.
 * It starts at `start` (ms since the epoch), by default now, so that a test can stand inside or outside a service window.
 */
export function createClock(factor: number, start: number = Date.now()): Clock {
  const origin = performance.now();
  const now = () => start + (performance.now() - origin) * factor;
  return {
    now,
    sleep: (ms, signal) => delay(Math.max(0, ms / factor), undefined, signal ? { signal } : {}),
    deadline(at, parent) {
      const controller = new AbortController();
      // Made when it is needed: it takes a stack trace, and most deadlines never pass.
      const expire = () => controller.abort(new DOMException('deadline passed', 'TimeoutError'));
      const timer = setTimeout(expire, Math.max(0, (at - now()) / factor));
      const onParent = () => controller.abort(parent?.reason);
      if (parent?.aborted) onParent();
      else parent?.addEventListener('abort', onParent, { once: true });
      return {
        signal: controller.signal,
        end() {
          clearTimeout(timer);
          parent?.removeEventListener('abort', onParent);
        },
      };
    },
  };
}
