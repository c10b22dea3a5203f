import { describe, expect, it } from '@jest/globals';
import { createStandingClock, settle } from '../tests/kit/standing-clock.ts';
import { createThrottle } from './throttle.ts';

describe('a throttle', () => {
  it('lets a burst through and then so many a second, in the order of asking', async () => {
    const clock = createStandingClock();
    const throttle = createThrottle({ perSecond: 5, burst: 3 }, clock);
    const passed: number[] = [];
    for (let caller = 0; caller < 13; caller++)
      void throttle(new AbortController().signal).then(() => passed.push(caller));
    await settle();
    expect(passed).toEqual([0, 1, 2]);
    for (let second = 1; second <= 2; second++) {
      for (let step = 0; step < 5; step++) await clock.pass(200);
      expect(passed).toHaveLength(3 + 5 * second);
    }
    expect(passed).toEqual(Array.from({ length: 13 }, (_, caller) => caller));
  });

  it('gives back the place of somebody who left', async () => {
    const clock = createStandingClock();
    const throttle = createThrottle({ perSecond: 1, burst: 1 }, clock);
    await throttle(new AbortController().signal);
    const caller = new AbortController();
    const left = throttle(caller.signal).catch((error: unknown) => error);
    caller.abort(new Error('caller left'));
    expect(await left).toMatchObject({ message: 'caller left' });
    let hasPassed = false;
    const next = throttle(new AbortController().signal).then(() => (hasPassed = true));
    await clock.pass(999);
    expect(hasPassed).toBe(false);
    await clock.pass(1);
    expect(await next).toBe(true);
  });
});
