import type { Clock } from '../../adapters/clock.ts';

/** 2026-11-24 10:00 in China. */
export const MORNING = Date.UTC(2026, 10, 24, 2);

/** A clock that stands until it is moved on: `pass` lets everything happen that is due by then. */
export function createStandingClock(start = MORNING): Clock & { pass(ms: number): Promise<void> } {
  let now = start;
  const due = new Set<{ readonly at: number; readonly ring: () => void }>();
  function at(time: number, ring: () => void): () => void {
    const entry = { at: time, ring };
    due.add(entry);
    return () => void due.delete(entry);
  }
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const forget = at(now + ms, resolve);
        signal?.addEventListener('abort', () => {
          forget();
          reject(signal.reason as Error);
        });
      }),
    deadline(time, parent) {
      const controller = new AbortController();
      const end = at(time, () => controller.abort(new DOMException('deadline passed', 'TimeoutError')));
      parent?.addEventListener('abort', () => controller.abort(parent.reason));
      return { signal: controller.signal, end };
    },
    async pass(ms) {
      await settle();
      now += ms;
      for (const entry of [...due].filter((one) => one.at <= now).sort((one, other) => one.at - other.at)) {
        due.delete(entry);
        entry.ring();
      }
      await settle();
    },
  };
}

/** Until everything that waits for nothing but promises has run. */
export const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
