import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createStandingClock, MORNING, settle } from '../tests/kit/standing-clock.ts';
import type { Adapter, CallContext, LegacyReply } from './adapter.ts';
import { LegacyError } from './adapter.ts';
import type { Clock } from './clock.ts';
import { createClock } from './clock.ts';
import type { BreakerState, CallOutcome, ResiliencePolicy } from './resilient.ts';
import { createResilientAdapter } from './resilient.ts';

const SYSTEM = 'test system';
const REPLY: LegacyReply = { rows: [], asOf: null };
const DAY_MS = 86_400_000;
const fault = (kind: LegacyError['fault']) => new LegacyError(kind, SYSTEM, 'is scripted to fail');

type Script = (context: CallContext, call: number) => Promise<LegacyReply>;
const answers: Script = () => Promise.resolve(REPLY);
const fails =
  (kind: LegacyError['fault']): Script =>
  () =>
    Promise.reject(fault(kind));
/** Answers nothing, and ends as every adapter must when it is aborted. */
const hangs: Script = ({ signal }) =>
  new Promise((_, reject) => {
    const end = () => reject(fault('timeout'));
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });

function createRig(policy: Partial<ResiliencePolicy<string>> = {}, clock: Clock = createStandingClock()) {
  let script = answers;
  let calls = 0;
  const states: BreakerState[] = [];
  const outcomes: CallOutcome[] = [];
  const adapter: Adapter<string> = {
    system: SYSTEM,
    protocol: 'rest',
    call: (_, context) => script(context, (calls += 1)),
    close: () => Promise.resolve(),
  };
  const resilient = createResilientAdapter(
    adapter,
    {
      deadlineMs: 1_000,
      concurrency: 100,
      queue: 100,
      breaker: { failures: 3, coolDownMs: 10_000 },
      ...policy,
    },
    {
      clock,
      observer: {
        called: (_, outcome) => void outcomes.push(outcome),
        breaker: (_, state) => void states.push(state),
      },
    },
  );
  return {
    states,
    outcomes,
    calls: () => calls,
    script: (next: Script) => void (script = next),
    /** 'ok', or the fault in which the call ended; throws for anything else. */
    async ask(context: Partial<CallContext> = {}): Promise<CallOutcome> {
      const signal = context.signal ?? new AbortController().signal;
      return resilient.call('question', { deadline: Infinity, ...context, signal }).then(
        () => 'ok' as const,
        (error: unknown) => {
          if (error instanceof LegacyError) return error.fault;
          throw error;
        },
      );
    },
  };
}
type Rig = ReturnType<typeof createRig>;

async function repeat(times: number, rig: Rig): Promise<readonly CallOutcome[]> {
  const outcomes: CallOutcome[] = [];
  for (let time = 0; time < times; time++) outcomes.push(await rig.ask());
  return outcomes;
}

describe('the breaker', () => {
  it('leaves a failing system alone, asks it once after the cool-down, and trusts it again when it answers', async () => {
    const clock = createStandingClock();
    const rig = createRig({}, clock);
    rig.script(fails('unavailable'));
    expect(await repeat(5, rig)).toEqual(Array.from({ length: 5 }, () => 'unavailable'));
    expect(rig.calls()).toBe(3);
    await clock.pass(9_999);
    expect([await rig.ask(), rig.calls()]).toEqual(['unavailable', 3]);
    await clock.pass(1);
    expect([await rig.ask(), rig.calls()]).toEqual(['unavailable', 4]);
    await clock.pass(9_999);
    expect([await rig.ask(), rig.calls()]).toEqual(['unavailable', 4]);
    await clock.pass(1);
    rig.script(answers);
    expect(await repeat(2, rig)).toEqual(['ok', 'ok']);
    expect(rig.states).toEqual(['open', 'half-open', 'open', 'half-open', 'closed']);
  });

  it('counts failures in a row only', async () => {
    const rig = createRig();
    rig.script((_, call) => (call % 3 === 0 ? answers : fails('malformed'))({} as CallContext, call));
    await repeat(30, rig);
    expect(rig.states).toEqual([]);
  });

  it('takes a refusal for an answer', async () => {
    const rig = createRig();
    rig.script(fails('refused'));
    expect(new Set(await repeat(20, rig))).toEqual(new Set(['refused']));
    expect([rig.calls(), rig.states]).toEqual([20, []]);
  });

  it('lets nobody wait for the one call that tries the system again', async () => {
    const clock = createStandingClock();
    const rig = createRig({}, clock);
    rig.script(fails('unavailable'));
    await repeat(3, rig);
    await clock.pass(10_000);
    rig.script(hangs);
    const trial = rig.ask();
    await settle();
    expect(await repeat(3, rig)).toEqual(['unavailable', 'unavailable', 'unavailable']);
    expect(rig.calls()).toBe(4);
    await clock.pass(1_000);
    expect(await trial).toBe('timeout');
    expect(rig.states).toEqual(['open', 'half-open', 'open']);
  });

  it('neither trusts nor condemns a system whose trial was broken off by its caller', async () => {
    const clock = createStandingClock();
    const rig = createRig({}, clock);
    rig.script(fails('unavailable'));
    await repeat(3, rig);
    await clock.pass(10_000);
    rig.script(hangs);
    const caller = new AbortController();
    const trial = rig.ask({ signal: caller.signal });
    await settle();
    caller.abort(new DOMException('caller left', 'AbortError'));
    await trial;
    rig.script(answers);
    expect(await rig.ask()).toBe('ok');
    expect(rig.states).toEqual(['open', 'half-open', 'open', 'half-open', 'closed']);
  });

  it('opens for a system that hangs, also when the request’s own deadline is as short as the call’s', async () => {
    const clock = createStandingClock();
    const rig = createRig({ deadlineMs: 1_000 }, clock);
    rig.script(hangs);
    for (let time = 0; time < 3; time++) {
      const deadline = clock.now() + 1_000;
      const request = clock.deadline(deadline);
      const asked = rig.ask({ signal: request.signal, deadline });
      await clock.pass(1_000);
      expect(await asked).toBe('timeout');
    }
    expect(rig.states).toEqual(['open']);
  });

  it('holds nothing against the system when a caller leaves, or comes with no time left', async () => {
    const clock = createStandingClock();
    const rig = createRig({}, clock);
    rig.script(hangs);
    for (let time = 0; time < 10; time++) {
      const caller = new AbortController();
      const left = rig.ask({ signal: caller.signal });
      const late = rig.ask({ deadline: clock.now() + 10 });
      await settle();
      caller.abort(new DOMException('caller left', 'AbortError'));
      await clock.pass(10);
      expect(await Promise.all([left, late])).toEqual(['timeout', 'timeout']);
    }
    expect(rig.states).toEqual([]);
  });
});

describe('the deadline', () => {
  it('ends a call by the wall clock too, ten thousand times as fast', async () => {
    const rig = createRig({ deadlineMs: 20_000 }, createClock(10_000));
    rig.script(hangs);
    expect(await rig.ask()).toBe('timeout');
  });

  it('is the caller’s where that is earlier, and the adapter is told', async () => {
    const clock = createStandingClock();
    const rig = createRig({ deadlineMs: 1_000 }, clock);
    const told: number[] = [];
    rig.script((context) => {
      told.push(context.deadline - MORNING);
      return Promise.resolve(REPLY);
    });
    await rig.ask({ deadline: MORNING + 300 });
    await rig.ask({ deadline: MORNING + 3_000 });
    expect(told).toEqual([300, 1_000]);
  });

  it('answers the caller in time although the adapter does not notice', async () => {
    const clock = createStandingClock();
    const rig = createRig({}, clock);
    rig.script(() => new Promise(() => {}));
    const asked = rig.ask();
    await clock.pass(1_000);
    expect(await asked).toBe('timeout');
  });
});

describe('the bulkhead', () => {
  it('says at once that it is full, keeps the places of those who wait, and asks no more than it may', async () => {
    const clock = createStandingClock();
    const rig = createRig({ concurrency: 2, queue: 3 }, clock);
    let open = 0;
    let most = 0;
    const ends: (() => void)[] = [];
    rig.script(async () => {
      most = Math.max(most, (open += 1));
      await new Promise<void>((resolve) => ends.push(resolve));
      open -= 1;
      return REPLY;
    });
    const asked = Array.from({ length: 7 }, () => rig.ask());
    await settle();
    expect(await Promise.all(asked.slice(5))).toEqual(['unavailable', 'unavailable']);
    for (let turn = 0; turn < 5; turn++) {
      ends[turn]?.();
      await settle();
    }
    expect(await Promise.all(asked.slice(0, 5))).toEqual(['ok', 'ok', 'ok', 'ok', 'ok']);
    expect([most, rig.calls(), rig.states]).toEqual([2, 5, []]);
  });

  it('does not ask for somebody whose time ran out in the queue', async () => {
    const clock = createStandingClock();
    const rig = createRig({ concurrency: 1, queue: 5, breaker: { failures: 2, coolDownMs: 1_000 } }, clock);
    rig.script(hangs);
    const asked = Array.from({ length: 4 }, () => rig.ask());
    await clock.pass(1_000);
    expect(await Promise.all(asked)).toEqual(['timeout', 'timeout', 'timeout', 'timeout']);
    expect([rig.calls(), rig.states]).toEqual([1, []]);
  });
});

describe('the retry', () => {
  it('is for what is safe to ask twice and could not be reached, once', async () => {
    const safe = createRig({ isSafeToRetry: () => true });
    safe.script((_, call) => (call === 1 ? fails('unavailable') : answers)({} as CallContext, call));
    expect([await safe.ask(), safe.calls()]).toEqual(['ok', 2]);
    for (const kind of ['timeout', 'refused', 'malformed'] as const) {
      const rig = createRig({ isSafeToRetry: () => true });
      rig.script(fails(kind));
      expect([await rig.ask(), rig.calls()]).toEqual([kind, 1]);
    }
    const unsafe = createRig();
    unsafe.script(fails('unavailable'));
    expect([await unsafe.ask(), unsafe.calls()]).toEqual(['unavailable', 1]);
  });

  it('never adds more than a tenth to the calls, whichever of them fail', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 200 }), async (isDown) => {
        const rig = createRig({
          isSafeToRetry: () => true,
          breaker: { failures: Infinity, coolDownMs: 1 },
        });
        for (const down of isDown) {
          rig.script(down ? fails('unavailable') : answers);
          await rig.ask();
        }
        // One to begin with, so that a department that is seldom asked has a second chance as well.
        expect(rig.calls()).toBeLessThanOrEqual(isDown.length + 1 + isDown.length / 10);
      }),
    );
  });
});

describe('the quota', () => {
  it('is of the day in China', async () => {
    const clock = createStandingClock(Date.UTC(2026, 10, 24, 15, 59));
    const rig = createRig({ dailyQuota: 2 }, clock);
    expect(await repeat(3, rig)).toEqual(['ok', 'ok', 'unavailable']);
    await clock.pass(59_999);
    expect(await rig.ask()).toBe('unavailable');
    await clock.pass(1);
    expect(await repeat(3, rig)).toEqual(['ok', 'ok', 'unavailable']);
    await clock.pass(DAY_MS);
    expect(await rig.ask()).toBe('ok');
  });

  it('is not used up by what never reached the system', async () => {
    const clock = createStandingClock();
    const rig = createRig({ dailyQuota: 4, breaker: { failures: 3, coolDownMs: 10_000 } }, clock);
    rig.script(fails('unavailable'));
    await repeat(50, rig);
    expect(rig.calls()).toBe(3);
    await clock.pass(10_000);
    rig.script(answers);
    expect(await repeat(2, rig)).toEqual(['ok', 'unavailable']);
  });

  it('counts a retry as the call that it is', async () => {
    const rig = createRig({ dailyQuota: 3, isSafeToRetry: () => true });
    rig.script((_, call) => (call === 1 ? fails('unavailable') : answers)({} as CallContext, call));
    expect(await repeat(3, rig)).toEqual(['ok', 'ok', 'unavailable']);
    expect(rig.calls()).toBe(3);
  });

  it('holds its own end neither against the system nor for it', async () => {
    const rig = createRig({ dailyQuota: 1 });
    await repeat(20, rig);
    expect([rig.calls(), rig.states]).toEqual([1, []]);
  });
});

describe('the service window', () => {
  it('keeps calls away from a system that is closed', async () => {
    const clock = createStandingClock(Date.UTC(2026, 10, 24, 0, 29));
    const rig = createRig({ window: { from: '08:30', to: '17:30' } }, clock);
    expect([await rig.ask(), rig.calls()]).toEqual(['unavailable', 0]);
    await clock.pass(60_000);
    expect(await rig.ask()).toBe('ok');
    await clock.pass(9 * 3_600_000);
    expect([await rig.ask(), rig.calls(), rig.states]).toEqual(['unavailable', 1, []]);
  });
});

describe('the throttle', () => {
  it('costs a caller its own deadline at most, and the system nothing', async () => {
    const clock = createStandingClock();
    const rig = createRig({ throttle: { perSecond: 1, burst: 1 }, deadlineMs: 500 }, clock);
    const asked = [rig.ask(), rig.ask()];
    await clock.pass(500);
    expect(await Promise.all(asked)).toEqual(['ok', 'timeout']);
    expect([rig.calls(), rig.states]).toEqual([1, []]);
  });

  it('keeps the pace for those who come while the breaker tries the system again', async () => {
    const clock = createStandingClock();
    const rig = createRig({ throttle: { perSecond: 1, burst: 1 }, deadlineMs: 60_000 }, clock);
    rig.script(fails('unavailable'));
    for (let time = 0; time < 3; time++) {
      const asked = rig.ask();
      await clock.pass(1_000);
      await asked;
    }
    await clock.pass(10_000);
    rig.script(answers);
    const before = rig.calls();
    const asked = Array.from({ length: 4 }, () => rig.ask());
    await settle();
    expect(rig.calls() - before).toBe(1);
    for (let second = 0; second < 3; second++) await clock.pass(1_000);
    expect(await Promise.all(asked)).toEqual(['ok', 'ok', 'ok', 'ok']);
  });
});

describe('what comes out', () => {
  it('is one of the four faults, an exception that no adapter throws included', async () => {
    const rig = createRig();
    rig.script(() => Promise.reject(new TypeError('undefined is not a function')));
    expect(new Set(await repeat(10, rig))).toEqual(new Set(['malformed']));
    // Our own defect: the system is not to blame.
    expect(rig.states).toEqual([]);
    rig.script(() => {
      throw new TypeError('at once');
    });
    expect(await rig.ask()).toBe('malformed');
  });

  it('is counted once for every call', async () => {
    const rig = createRig({ isSafeToRetry: () => true });
    for (const script of [answers, fails('malformed'), fails('refused'), fails('unavailable')]) {
      rig.script(script);
      await rig.ask();
    }
    expect(rig.outcomes).toEqual(['ok', 'malformed', 'refused', 'unavailable']);
  });
});
