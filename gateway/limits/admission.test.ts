import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Urgency } from './admission.ts';
import { createAdmission, URGENCIES } from './admission.ts';

const NEVER = new AbortController().signal;

/** An event loop of our own: each turn takes `turnMs` for whoever was let in during it. */
function createLoop({ workMs = 2, mostInside = 1_000_000, bulk = 1 } = {}) {
  let now = 0;
  let ends: (() => void)[] = [];
  const admitted: { urgency: Urgency; at: number; waited: number }[] = [];
  const refused: { urgency: Urgency; at: number }[] = [];
  const admission = createAdmission({
    patienceMs: 100,
    now: () => now,
    nextTurn: (call) => void ends.push(call),
    mostInside,
    onAdmitted: (urgency, waited) => admitted.push({ urgency, at: now, waited }),
    onRefused: (urgency) => refused.push({ urgency, at: now }),
  });
  let worked = 0;
  return {
    admission,
    admitted,
    refused,
    now: () => now,
    arrive: (urgency: Urgency, signal = NEVER) =>
      admission.enter({ urgency, signal, work: urgency === 'bulk' ? bulk : 1 }).then(
        () => 'in' as const,
        () => 'refused' as const,
      ),
    /** Does the work of whoever was let in, and ends the turn. */
    turn() {
      const now_ = ends;
      ends = [];
      const work = admitted.slice(worked).map(({ urgency }) => (urgency === 'bulk' ? bulk : 1));
      now += Math.max(0.05, workMs * work.reduce((sum, one) => sum + one, 0));
      worked = admitted.length;
      for (const end of now_) end();
    },
    isIdle: () => ends.length === 0,
  };
}

const count = (list: readonly { urgency: Urgency }[], urgency: Urgency) =>
  list.filter((one) => one.urgency === urgency).length;

describe('an admission', () => {
  it('lets everybody in at once while nobody is before him', async () => {
    const loop = createLoop();
    for (let at = 0; at < 100; at++) {
      expect(await loop.arrive('public')).toBe('in');
      loop.turn();
    }
    expect(loop.admitted.every(({ waited }) => waited === 0)).toBe(true);
  });

  it('concludes nothing from how many are inside: slow departments are no overload', async () => {
    const loop = createLoop({ workMs: 0.1 });
    for (let at = 0; at < 5_000; at++) {
      expect(await loop.arrive('check')).toBe('in');
      loop.turn();
    }
    expect(loop.refused).toEqual([]);
  });

  it('waits a burst out, though it is many times what a turn can do', () => {
    const loop = createLoop({ workMs: 2 });
    for (let at = 0; at < 200; at++) void loop.arrive('check');
    expect(loop.refused).toEqual([]);
    while (!loop.isIdle()) loop.turn();
    expect(loop.admitted).toHaveLength(200);
  });

  it('keeps the thread busy at three times its capacity, and nobody waits for long', () => {
    const loop = createLoop({ workMs: 2 });
    let arrived = 0;
    while (loop.now() < 4_000) {
      while (arrived < (loop.now() / 2) * 3) {
        void loop.arrive('check');
        arrived += 1;
      }
      loop.turn();
    }
    // One in two milliseconds is all that it can do.
    expect(loop.admitted.length).toBeGreaterThan(0.98 * 2_000);
    const late = loop.admitted.filter(({ at }) => at > 2_000).map(({ waited }) => waited);
    expect(Math.max(...late)).toBeLessThanOrEqual(110);
    expect(loop.refused.length).toBeGreaterThan(0.6 * arrived);
  });

  it('lets checks in before bulk and the public, of which some come in all the same', () => {
    const loop = createLoop({ workMs: 2 });
    let arrived = 0;
    while (loop.now() < 4_000) {
      // A check for every two that could be done, and each of the others as many as could be done.
      for (; arrived < loop.now() / 2; arrived++) {
        if (arrived % 2 === 0) void loop.arrive('check');
        void loop.arrive('bulk');
        void loop.arrive('public');
      }
      loop.turn();
    }
    expect(count(loop.refused, 'check')).toBe(0);
    expect(count(loop.admitted, 'check')).toBeGreaterThan(950);
    expect(count(loop.admitted, 'bulk')).toBeGreaterThan(5 * count(loop.admitted, 'public'));
    expect(count(loop.admitted, 'public')).toBeGreaterThan(60);
  });

  it('gives a tenth and less to the others when checks alone are too many', () => {
    const loop = createLoop({ workMs: 2 });
    for (let arrived = 0; loop.now() < 4_000; loop.turn())
      for (; arrived < loop.now(); arrived++) for (const urgency of URGENCIES) void loop.arrive(urgency);
    expect(count(loop.admitted, 'check')).toBeGreaterThan(0.9 * loop.admitted.length);
    expect(count(loop.admitted, 'public')).toBeGreaterThan(0.04 * loop.admitted.length);
  });

  it('gives bulk no more than its share, though one of them is as much as a hundred checks', () => {
    const loop = createLoop({ workMs: 1, bulk: 100 });
    for (let arrived = 0; loop.now() < 8_000; loop.turn())
      for (; arrived < loop.now() * 2; arrived++)
        for (const urgency of ['check', 'bulk'] as const) void loop.arrive(urgency);
    expect(count(loop.admitted, 'check')).toBeGreaterThan(0.9 * 8_000);
    expect(count(loop.admitted, 'bulk')).toBeGreaterThan(2);
  });

  it('passes over who has left meanwhile', async () => {
    const loop = createLoop();
    void loop.arrive('check');
    const leaving = new AbortController();
    const left = loop.arrive('check', leaving.signal);
    const next = loop.arrive('check');
    leaving.abort();
    loop.turn();
    expect(await Promise.all([left, next])).toEqual(['refused', 'in']);
    expect(loop.refused).toEqual([]);
  });

  it('takes no more than memory allows, and again when one has left', async () => {
    const loop = createLoop({ mostInside: 2 });
    await loop.arrive('check');
    loop.turn();
    await loop.arrive('check');
    loop.turn();
    expect(await loop.arrive('check')).toBe('refused');
    loop.admission.leave();
    expect(await loop.arrive('check')).toBe('in');
  });

  it('lets one in who waited for a place as soon as somebody leaves', async () => {
    const loop = createLoop({ mostInside: 2 });
    void loop.arrive('check');
    const [second, third] = [loop.arrive('check'), loop.arrive('check')];
    loop.turn();
    loop.turn();
    expect(await second).toBe('in');
    expect(loop.isIdle()).toBe(true);
    loop.admission.leave();
    loop.turn();
    expect(await third).toBe('in');
  });

  it('answers everybody, whatever comes when', async () => {
    const event = fc.oneof(fc.constantFrom(...URGENCIES), fc.constant('turn' as const));
    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { maxLength: 300 }),
        fc.integer({ min: 1, max: 50 }),
        async (events, workMs) => {
          const loop = createLoop({ workMs });
          const answers: Promise<'in' | 'refused'>[] = [];
          for (const one of events) {
            if (one === 'turn') loop.turn();
            else answers.push(loop.arrive(one));
          }
          while (!loop.isIdle()) loop.turn();
          const settled = await Promise.all(answers);
          expect(settled.filter((answer) => answer === 'in')).toHaveLength(loop.admitted.length);
          expect(settled.filter((answer) => answer === 'refused')).toHaveLength(loop.refused.length);
        },
      ),
    );
  });
});
