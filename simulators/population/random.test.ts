import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { randomFor } from './random.ts';

const drawn = (seed: string, code: string, topic: string): readonly number[] => {
  const random = randomFor(seed, code, topic);
  return Array.from({ length: 20 }, () => random.int(0, 1_000_000));
};

describe('random', () => {
  it('says the same for the same key, and other things for another seed, code or topic', () => {
    const series = [
      drawn('1', 'A', 'tax'),
      drawn('2', 'A', 'tax'),
      drawn('1', 'B', 'tax'),
      drawn('1', 'A', 'courts'),
      drawn('1', 'At', 'ax'),
    ];
    expect(drawn('1', 'A', 'tax')).toEqual(series[0]);
    expect(new Set(series.map(String)).size).toBe(series.length);
  });

  it('keeps to its bounds, ends included', () => {
    const random = randomFor('1', 'A', 'bounds');
    const seen = new Set(Array.from({ length: 200 }, () => random.int(-1, 2)));
    expect([...seen].sort((a, b) => a - b)).toEqual([-1, 0, 1, 2]);
    expect([random.chance(0), random.chance(1)]).toEqual([false, true]);
  });

  it('gives days that exist, between the two named', () => {
    fc.assert(
      fc.property(fc.string(), (seed) => {
        const date = randomFor(seed, 'A', 'date').date('2024-02-27', '2024-03-01');
        expect(['2024-02-27', '2024-02-28', '2024-02-29', '2024-03-01']).toContain(date);
      }),
    );
  });

  it('is about as likely as it says', () => {
    const random = randomFor('1', 'A', 'chance');
    const hits = Array.from({ length: 10_000 }, () => random.chance(0.2)).filter(Boolean).length;
    expect(hits).toBeGreaterThan(1800);
    expect(hits).toBeLessThan(2200);
  });

  it('refuses what has no answer', () => {
    const random = randomFor('1', 'A', 'refusals');
    expect(() => random.int(2, 1)).toThrow(RangeError);
    expect(() => random.pick([])).toThrow(RangeError);
    expect(() => random.date('2024-01-01', 'tomorrow')).toThrow(RangeError);
  });
});
