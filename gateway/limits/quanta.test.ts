import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createPace, toQuantumEnd } from './quanta.ts';

describe('an answer that is paced', () => {
  it('leaves at the first multiple of the quantum that is not over, and never at once', () => {
    expect([0, 1, 49.9, 50, 50.1, 149].map((elapsed) => toQuantumEnd(elapsed, 50))).toEqual([
      50, 50, 50, 50, 100, 150,
    ]);
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1e6, noNaN: true }),
        fc.integer({ min: 1, max: 1_000 }),
        (elapsed, quantum) => {
          const end = toQuantumEnd(elapsed, quantum);
          expect([end % quantum, end >= elapsed, end - elapsed <= quantum]).toEqual([0, true, true]);
        },
      ),
    );
  });

  it('is not early, and one that is not held does not wait', async () => {
    const startedAt = performance.now();
    const [held, free] = [createPace(30), createPace(100_000)];
    held.hold();
    await free.end();
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    await held.end();
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(30);
  });
});
