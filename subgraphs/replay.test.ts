import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createReplayGuard } from './replay.ts';

describe('a signed principal', () => {
  it('is accepted once, by itself, whatever else comes', () => {
    const guard = createReplayGuard();
    expect(guard.accept({ jti: 'a', exp: 130 }, 100)).toBe(true);
    expect(guard.accept({ jti: 'a', exp: 130 }, 100)).toBe(false);
    expect(guard.accept({ jti: 'b', exp: 130 }, 129)).toBe(true);
    expect(guard.accept({ jti: 'a', exp: 130 }, 130)).toBe(false);
  });

  it('is not accepted again when the clock is set back after it was forgotten', () => {
    const guard = createReplayGuard();
    guard.accept({ jti: 'a', exp: 130 }, 100);
    guard.accept({ jti: 'b', exp: 190 }, 160);
    expect(guard.accept({ jti: 'a', exp: 130 }, 110)).toBe(false);
  });

  it('is refused rather than accepted twice when there are too many to remember', () => {
    const guard = createReplayGuard(10);
    for (let at = 0; at < 25; at++) guard.accept({ jti: `x${at}`, exp: 100 + at }, 80);
    expect(guard.accept({ jti: 'x0', exp: 100 }, 80)).toBe(false);
    expect(guard.accept({ jti: 'new', exp: 100 }, 80)).toBe(false);
    expect(guard.accept({ jti: 'new', exp: 130 }, 80)).toBe(true);
  });

  it('is never accepted twice, in any order, with clocks that jump', () => {
    const event = fc.record({
      id: fc.nat({ max: 20 }),
      exp: fc.integer({ min: 0, max: 40 }),
      now: fc.nat({ max: 60 }),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 200 }), fc.integer({ min: 1, max: 30 }), (events, most) => {
        const guard = createReplayGuard(most);
        const accepted = events
          .filter(({ id, exp, now }) => guard.accept({ jti: `${id}/${exp}`, exp }, now))
          .map(({ id, exp }) => `${id}/${exp}`);
        expect(new Set(accepted).size).toBe(accepted.length);
      }),
    );
  });
});
