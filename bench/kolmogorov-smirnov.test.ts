import { describe, expect, it } from '@jest/globals';
import { randomFor } from '../simulators/population/random.ts';
import { combine, compareSamples, kolmogorovTail } from './kolmogorov-smirnov.ts';

const uniform = (seed: string, size: number, shift = 0) => {
  const random = randomFor(seed, '', 'uniform');
  return Array.from({ length: size }, () => random.int(0, 1_000_000) / 1_000_000 + shift);
};

describe('the Kolmogorov–Smirnov test', () => {
  // Critical values as the tables have them (Smirnov 1948): a tenth, a twentieth, a hundredth, a thousandth.
  it.each([
    [1.22385, 0.1],
    [1.3581, 0.05],
    [1.62762, 0.01],
    [1.94947, 0.001],
    [0.82757, 0.5],
    [0.57117, 0.9],
  ])('knows that the tail beyond %d is %d', (x, tail) => {
    expect(kolmogorovTail(x)).toBeCloseTo(tail, 4);
  });

  it('measures the distance of two small samples', () => {
    expect(compareSamples([1, 2, 3, 4], [1, 2, 3, 4]).distance).toBe(0);
    expect(compareSamples([1, 2, 3, 4], [3, 4, 5, 6]).distance).toBe(0.5);
    expect(compareSamples([1, 1, 1, 2], [1, 2, 2, 2]).distance).toBe(0.5);
    expect(compareSamples([1, 2], [3, 4, 5])).toMatchObject({ distance: 1 });
    expect(() => compareSamples([], [1])).toThrow(RangeError);
  });

  it('takes no two samples of one distribution for different more often than its p says', () => {
    const ps = Array.from(
      { length: 300 },
      (_, at) => compareSamples(uniform(`a${at}`, 200), uniform(`b${at}`, 300)).p,
    );
    const share = (bound: number) => ps.filter((p) => p < bound).length / ps.length;
    expect(share(0.01)).toBeLessThan(0.04);
    expect(share(0.5)).toBeGreaterThan(0.35);
    expect(share(0.5)).toBeLessThan(0.65);
  });

  it('tells a shift of a tenth at 700 values each', () => {
    expect(compareSamples(uniform('one', 700), uniform('other', 700, 0.1)).p).toBeLessThan(0.001);
  });

  it('is stricter the more pairs are compared', () => {
    expect([combine([0.2]), combine([0.004, 0.5, 0.9]), combine([0.9, 0.8])]).toEqual([0.2, 0.012, 1]);
  });
});
