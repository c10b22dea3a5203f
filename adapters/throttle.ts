import type { Clock } from './clock.ts';

/**
 * Lets `perSecond` calls a second through, `burst` at once after a pause. Returns a function to await before each call;
 * it rejects with the signal's reason when the wait outlasts the caller. Callers are served in the order of asking.
 */
export function createThrottle(
  { perSecond, burst }: { perSecond: number; burst: number },
  clock: Clock,
): (signal: AbortSignal) => Promise<void> {
  const gap = 1000 / perSecond;
  // The time at which the bucket would be full again (generic cell rate algorithm): one number instead of a queue.
  let fullAt = 0;
  return async (signal) => {
    signal.throwIfAborted();
    const now = clock.now();
    const at = Math.max(fullAt, now) + gap;
    const wait = at - burst * gap - now;
    fullAt = at;
    if (wait <= 0) return;
    try {
      await clock.sleep(wait, signal);
    } catch (error) {
      // A caller that gave up hands its place back.
      fullAt -= gap;
      throw error;
    }
  };
}
