import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { dayInChina, secondsLeftOfDay } from './china-time.ts';

describe('a day in China', () => {
  it.each([
    ['2026-11-24T15:59:59Z', '2026-11-24', 1],
    ['2026-11-24T16:00:00Z', '2026-11-25', 86_400],
    ['2026-12-31T23:00:00Z', '2027-01-01', 61_200],
  ])('%s is %s, with %i seconds left', (moment, day, left) => {
    expect([dayInChina(Date.parse(moment)), secondsLeftOfDay(Date.parse(moment))]).toEqual([day, left]);
  });

  it('is over when its seconds are, and not before', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000_000_000 }), (now) => {
        const left = secondsLeftOfDay(now) * 1000;
        return (
          dayInChina(now + left + 1_000) !== dayInChina(now) &&
          (left === 1_000 || dayInChina(now + left - 1) === dayInChina(now))
        );
      }),
    );
  });
});
