/** Work that is done again and again beside the requests, until it is closed. */
import type { Clock } from './clock.ts';

export interface Repeating {
  /** Ends the pause or aborts the work, and waits until it has ended. */
  close(): Promise<void>;
}

/**
 * Works at once, and again after as many milliseconds of the clock as `work` resolves with; one at a time. What fails is for
 * `work` to tell: it must not reject, and what it is stopped in the middle of is no failure.
 */
export function startRepeating(work: (stop: AbortSignal) => Promise<number>, clock: Clock): Repeating {
  const stop = new AbortController();
  const run = async () => {
    while (!stop.signal.aborted) {
      const pause = await work(stop.signal);
      // The sleep ends in a rejection only when we are stopped, which the loop's condition sees.
      await clock.sleep(pause, stop.signal).catch(() => undefined);
    }
  };
  const running = run();
  return {
    async close() {
      stop.abort();
      await running;
    },
  };
}
