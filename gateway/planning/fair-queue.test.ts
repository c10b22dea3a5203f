import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createFairQueue } from './fair-queue.ts';

const drain = <T>(queue: { shift(): T | undefined }): T[] => {
  const taken: T[] = [];
  for (let job = queue.shift(); job !== undefined; job = queue.shift()) taken.push(job);
  return taken;
};

describe('a fair queue', () => {
  it('takes one job of each consumer in turn, each consumer’s in their order', () => {
    const queue = createFairQueue<string>({ each: 10, all: 10 });
    for (const job of ['a1', 'a2', 'a3', 'b1', 'c1', 'b2']) queue.push(job[0] ?? '', job);
    expect(drain(queue)).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
  });

  it('keeps its bounds, loses nothing, and lets nobody wait for more than one job of each other consumer', () => {
    const consumers = fc.constantFrom('a', 'b', 'c', 'd');
    fc.assert(
      fc.property(fc.array(consumers, { maxLength: 60 }), (pushes) => {
        const queue = createFairQueue<{ consumer: string }>({ each: 8, all: 20 });
        const kept = pushes.flatMap((consumer) => {
          const job = { consumer };
          return queue.push(consumer, job) ? [job] : [];
        });
        const taken = drain(queue);
        expect(taken).toHaveLength(kept.length);
        expect(taken.length).toBeLessThanOrEqual(20);
        for (const consumer of ['a', 'b', 'c', 'd']) {
          const own = kept.filter((job) => job.consumer === consumer);
          expect(taken.filter((job) => job.consumer === consumer)).toEqual(own);
          expect(own.length).toBeLessThanOrEqual(8);
          if (own.length > 0)
            expect(taken.findIndex((job) => job.consumer === consumer)).toBeLessThan(new Set(pushes).size);
        }
      }),
    );
  });

  it('has a place again for what was removed', () => {
    const queue = createFairQueue<string>({ each: 1, all: 1 });
    expect([queue.push('a', 'x'), queue.push('a', 'y'), queue.push('b', 'z')]).toEqual([true, false, false]);
    queue.remove('a', 'x');
    expect(queue.push('b', 'z')).toBe(true);
    expect(drain(queue)).toEqual(['z']);
  });
});
