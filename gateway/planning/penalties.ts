/** Who brought a job that had to be given up brings nothing new for a while, and longer each time. */
import { LRUCache } from 'lru-cache';

export interface Penalties {
  /** Milliseconds that this consumer still has to wait; 0 for most. */
  left(consumer: string): number;
  add(consumer: string): void;
}

const MOST_DOUBLINGS = 5;

/** `baseMs` for the first time, doubled for each further one that comes within ten times the last wait. */
export function createPenalties(baseMs: number, now: () => number): Penalties {
  const known = new LRUCache<string, { readonly times: number; readonly until: number }>({ max: 10_000 });
  const lengthOf = (times: number) => baseMs * 2 ** Math.min(times - 1, MOST_DOUBLINGS);
  return {
    left: (consumer) => Math.max(0, (known.get(consumer)?.until ?? 0) - now()),
    add(consumer) {
      const last = known.get(consumer);
      const isRecent = last !== undefined && now() - last.until < 10 * lengthOf(last.times);
      const times = isRecent ? last.times + 1 : 1;
      known.set(consumer, { times, until: now() + lengthOf(times) });
    },
  };
}
