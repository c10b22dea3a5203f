import { describe, expect, it } from '@jest/globals';
import { createEntityCache } from './entity-cache.ts';

const answer = (entity: Record<string, unknown>, maxAge: number) => ({ entity, errors: [], maxAge });

/** A load that waits until it is let go, and counts how often it was asked. */
function createLoad(said: (call: number) => ReturnType<typeof answer>) {
  const going: (() => void)[] = [];
  let calls = 0;
  return {
    calls: () => calls,
    go: () => going.splice(0).forEach((go) => go()),
    async load(positions: readonly number[]) {
      const call = ++calls;
      await new Promise<void>((resolve) => going.push(resolve));
      return positions.map(() => said(call));
    },
  };
}

describe('the entity cache', () => {
  it('lets those who ask as the same principal wait for one answer, each with a copy of its own', async () => {
    const cache = createEntityCache({ entries: 10, bytes: 10_000, remote: null });
    const { load, calls, go } = createLoad(() => answer({ a: { b: 1 } }, 0));
    const both = [cache.getMany(['k'], load, 'bank-a'), cache.getMany(['k'], load, 'bank-a')];
    await new Promise((resolve) => setImmediate(resolve));
    go();
    const [one, two] = (await Promise.all(both)).map(([first]) => first?.entity);
    expect([calls(), one, two]).toEqual([1, { a: { b: 1 } }, { a: { b: 1 } }]);
    expect(one).not.toBe(two);
  });

  it('never gives one principal what is being fetched for another and may not be kept', async () => {
    const cache = createEntityCache({ entries: 10, bytes: 10_000, remote: null });
    const { load, calls, go } = createLoad((call) => answer({ call }, 0));
    const both = [cache.getMany(['k'], load, 'bank-a'), cache.getMany(['k'], load, 'bank-b')];
    await new Promise((resolve) => setImmediate(resolve));
    go();
    const answers = await Promise.all(both);
    expect([calls(), answers.map(([first]) => first?.entity)]).toEqual([2, [{ call: 1 }, { call: 2 }]]);
  });

  it('keeps facts for everybody for as long as it may, and what it gives is nobody else’s', async () => {
    const cache = createEntityCache({ entries: 10, bytes: 10_000, remote: null });
    let asked = 0;
    const load = (positions: readonly number[]) => {
      asked += 1;
      return Promise.resolve(positions.map(() => answer({ list: [1] }, 60)));
    };
    const [first] = await cache.getMany(['k'], load, 'bank-a');
    (first?.entity as { list: number[] }).list.push(2);
    const [second] = await cache.getMany(['k'], load, 'bank-b');
    expect([asked, second]).toEqual([1, { entity: { list: [1] }, errors: [] }]);
  });

  it('is bounded in bytes: large entities push each other out', async () => {
    const cache = createEntityCache({ entries: 1_000, bytes: 10_000, remote: null });
    const load = (positions: readonly number[]) =>
      Promise.resolve(positions.map(() => answer({ text: 'x'.repeat(2_000) }, 60)));
    for (let at = 0; at < 20; at++) await cache.getMany([`k${at}`], load, 'bank-a');
    const before = cache.stats().hits;
    for (let at = 0; at < 20; at++) await cache.getMany([`k${19 - at}`], load, 'bank-a');
    expect(cache.stats().hits - before).toBeLessThan(5);
  });
});
