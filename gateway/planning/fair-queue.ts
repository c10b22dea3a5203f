/** Jobs that wait for one worker, taken in turn from each consumer: who sends many waits for himself, not others for him. */

export interface FairQueue<T> {
  /** False when the consumer, or the queue as a whole, has no place left. */
  push(consumer: string, job: T): boolean;
  /** The next job: the oldest of the consumer whose turn it is. */
  shift(): T | undefined;
  remove(consumer: string, job: T): void;
}

export function createFairQueue<T>(limits: { each: number; all: number }): FairQueue<T> {
  /** In the order of turns; no list is empty. */
  const waiting = new Map<string, T[]>();
  let count = 0;
  return {
    push(consumer, job) {
      const own = waiting.get(consumer) ?? [];
      if (own.length >= limits.each || count >= limits.all) return false;
      own.push(job);
      waiting.set(consumer, own);
      count += 1;
      return true;
    },
    shift() {
      for (const [consumer, own] of waiting) {
        const job = own.shift();
        waiting.delete(consumer);
        if (own.length > 0) waiting.set(consumer, own);
        count -= 1;
        return job;
      }
      return undefined;
    },
    remove(consumer, job) {
      const own = waiting.get(consumer) ?? [];
      const at = own.indexOf(job);
      if (at === -1) return;
      own.splice(at, 1);
      count -= 1;
      if (own.length === 0) waiting.delete(consumer);
    },
  };
}
