import { describe, expect, it } from '@jest/globals';
import type { EntityCache, Grace, Load, Loaded, RemoteStore } from './entity-cache.ts';
import { createEntityCache, createNoCache } from './entity-cache.ts';
import type { ChangeFollower } from './known-changes.ts';
import { createKnownChanges } from './known-changes.ts';

const LOCAL = { entries: 1_000, bytes: 100_000 };
const answer = (entity: Record<string, unknown>, maxAge: number, grace?: Grace): Loaded => ({
  entity,
  errors: [],
  maxAge,
  grace,
});
const UNREACHABLE: Loaded = {
  entity: { tax: null },
  errors: [{ message: '', extensions: { code: 'DEPARTMENT_UNAVAILABLE' } }],
  maxAge: 0,
};

/** One fetch of subjects by their ids, as the same principal unless another one is named. */
async function ask(cache: EntityCache, ids: readonly string[], load: Load, asker = 'bank-a') {
  const results = await cache.getMany({
    subgraph: 'tax',
    abouts: ids.map(() => 'query'),
    representations: ids.map((id) => JSON.stringify({ id })),
    subjects: ids,
    asker,
    load,
  });
  return results.map(({ entity }) => entity);
}

/** Answers what `said` says to each call, and counts the entities that it was asked for. */
function createLoad(said: (call: number) => Loaded) {
  let calls = 0;
  return {
    calls: () => calls,
    load(positions: readonly number[]) {
      calls += 1;
      const one = said(calls);
      return Promise.resolve(positions.map(() => one));
    },
  };
}

/** A load that waits until it is let go. */
function createHeldLoad(said: (call: number) => Loaded) {
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

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** What processes share, as text, without a Redis. */
function createSharedStore(): RemoteStore & { readonly texts: Map<string, string> } {
  const texts = new Map<string, string>();
  return {
    texts,
    getMany: (keys) => Promise.resolve(keys.map((key) => texts.get(key) ?? null)),
    setMany(entries) {
      for (const { key, value } of entries) texts.set(key, value);
      return Promise.resolve();
    },
  };
}

/** Changes that were read of a journal just now. */
function createHeard(): ChangeFollower & { hear(position: number, ...names: string[]): void } {
  const changes = createKnownChanges(() => 0);
  changes.take({ changes: [], position: 0 }, 0);
  return {
    ...changes,
    hear: (position, ...names) => changes.take({ changes: [{ position, names }], position }, 0),
  };
}

describe('the entity cache', () => {
  it('lets those who ask as the same principal wait for one answer, which nobody can change', async () => {
    const cache = createEntityCache({ local: LOCAL, remote: null });
    const { load, calls, go } = createHeldLoad(() => answer({ a: { b: 1 } }, 0));
    const asked = Array.from({ length: 100 }, () => ask(cache, ['k'], load));
    await turn();
    go();
    const answers = await Promise.all(asked);
    expect([calls(), ...new Set(answers.map((one) => JSON.stringify(one)))]).toEqual([1, '[{"a":{"b":1}}]']);
    expect(Object.isFrozen((answers[0]?.[0] as { a: object }).a)).toBe(true);
  });

  it('never gives one principal what is being fetched for another and may not be kept', async () => {
    const cache = createEntityCache({ local: LOCAL, remote: null });
    const { load, calls, go } = createHeldLoad((call) => answer({ call }, 0));
    const both = [ask(cache, ['k'], load, 'bank-a'), ask(cache, ['k'], load, 'bank-b')];
    await turn();
    go();
    expect([calls(), await Promise.all(both)]).toEqual([2, [[{ call: 1 }], [{ call: 2 }]]]);
  });

  it('shares no failure: who waited for one asks for itself', async () => {
    const cache = createEntityCache({ local: LOCAL, remote: null });
    const { load, calls, go } = createHeldLoad((call) => (call === 1 ? UNREACHABLE : answer({ call }, 0)));
    const both = [ask(cache, ['k'], load), ask(cache, ['k'], load)];
    await turn();
    go();
    await turn();
    go();
    expect([await Promise.all(both), calls()]).toEqual([[[{ tax: null }], [{ call: 2 }]], 2]);
  });

  it('keeps facts for everybody for as long as it may, and gives them without a promise', async () => {
    let time = 0;
    const cache = createEntityCache({ local: LOCAL, remote: null, now: () => time });
    const { load, calls } = createLoad((call) => answer({ list: [call] }, 60));
    await ask(cache, ['k'], load, 'bank-a');
    time = 59_999;
    const kept = cache.getMany({
      subgraph: 'tax',
      abouts: ['query'],
      representations: ['{"id":"k"}'],
      subjects: ['k'],
      asker: 'bank-b',
      load,
    });
    expect([kept, calls()]).toEqual([[{ entity: { list: [1] }, errors: [] }], 1]);
    time = 60_000;
    expect([await ask(cache, ['k'], load), calls()]).toEqual([[{ list: [2] }], 2]);
  });

  it('keeps that there is nothing as it keeps anything else', async () => {
    const cache = createEntityCache({ local: LOCAL, remote: null });
    const { load, calls } = createLoad(() => ({ entity: null, errors: [], maxAge: 5 }));
    expect([await ask(cache, ['k'], load), await ask(cache, ['k'], load), calls()]).toEqual([
      [null],
      [null],
      1,
    ]);
  });

  it('asks only for what nobody has, and puts the answers where they belong', async () => {
    const cache = createEntityCache({ local: LOCAL, remote: createSharedStore() });
    const asked: (readonly number[])[] = [];
    const load: Load = (positions) => {
      asked.push(positions);
      return Promise.resolve(positions.map((at) => answer({ at, call: asked.length }, 60)));
    };
    await ask(cache, ['b', 'd'], load);
    expect(await ask(cache, ['a', 'b', 'c', 'd'], load)).toEqual([
      { at: 0, call: 2 },
      { at: 0, call: 1 },
      { at: 2, call: 2 },
      { at: 1, call: 1 },
    ]);
    expect(asked).toEqual([
      [0, 1],
      [0, 2],
    ]);
  });

  it('is bounded in bytes: large entities push each other out', async () => {
    const cache = createEntityCache({ local: { entries: 1_000, bytes: 10_000 }, remote: null });
    const { load } = createLoad(() => answer({ text: 'x'.repeat(2_000) }, 60));
    for (let at = 0; at < 20; at++) await ask(cache, [`k${at}`], load);
    const before = cache.stats().hits;
    for (let at = 0; at < 20; at++) await ask(cache, [`k${19 - at}`], load);
    expect(cache.stats().hits - before).toBeLessThan(5);
  });

  it('holds names like any other, whatever they are', async () => {
    const remote = createSharedStore();
    const hostile = JSON.parse('{"__proto__":{"status":"OK","polluted":1},"constructor":1}') as Record<
      string,
      unknown
    >;
    await ask(createEntityCache({ local: null, remote }), ['k'], createLoad(() => answer(hostile, 60)).load);
    const { load, calls } = createLoad(() => answer({}, 0));
    const [entity] = await ask(createEntityCache({ local: LOCAL, remote }), ['k'], load);
    expect([JSON.stringify(entity), calls()]).toEqual([JSON.stringify(hostile), 0]);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it.each([
    ['in the process alone', { local: LOCAL, remote: null }, 1],
    ['in the store alone', { local: null, remote: createSharedStore() }, 1],
    ['in both', { local: LOCAL, remote: createSharedStore() }, 1],
  ] as const)('keeps %s', async (_, where, calls) => {
    const loaded = createLoad(() => answer({ a: 1 }, 60));
    const cache = createEntityCache(where);
    await ask(cache, ['k'], loaded.load);
    await ask(cache, ['k'], loaded.load);
    expect(loaded.calls()).toBe(calls);
  });

  it('keeps nothing when it is off', async () => {
    const loaded = createLoad(() => answer({ a: 1 }, 60));
    const cache = createNoCache();
    await ask(cache, ['k'], loaded.load);
    await ask(cache, ['k'], loaded.load);
    expect(loaded.calls()).toBe(2);
  });
});

describe('what was announced as changed', () => {
  it('is not used any more, here or from the store, and nothing else is lost', async () => {
    const remote = createSharedStore();
    const changes = createHeard();
    const caches = [LOCAL, null].map((local) => createEntityCache({ local, remote, changes }));
    const { load, calls } = createLoad((call) => answer({ call }, 60));
    for (const cache of caches) await ask(cache, ['a', 'b'], load);
    changes.hear(1, 'tax a');
    for (const cache of caches)
      expect(await ask(cache, ['a', 'b'], load)).toEqual([{ call: 2 }, { call: 1 }]);
    changes.hear(2, '* b');
    for (const cache of caches)
      expect(await ask(cache, ['a', 'b'], load)).toEqual([{ call: 2 }, { call: 3 }]);
    changes.hear(3, 'tax *');
    for (const cache of caches)
      expect(await ask(cache, ['a', 'b'], load)).toEqual([{ call: 4 }, { call: 4 }]);
    changes.hear(4, 'courts a', '* c', 'courts *');
    for (const cache of caches)
      expect(await ask(cache, ['a', 'b'], load)).toEqual([{ call: 4 }, { call: 4 }]);
    expect(calls()).toBe(4);
  });

  it('is not brought back by a store that holds what it held before', async () => {
    const remote = createSharedStore();
    const changes = createHeard();
    const { load } = createLoad((call) => answer({ call }, 60));
    const cache = createEntityCache({ local: LOCAL, remote, changes });
    await ask(cache, ['a'], load);
    const before = new Map(remote.texts);
    changes.hear(1, 'tax a');
    await ask(cache, ['a'], load);
    // The old primary is back, or somebody wrote again what he had read.
    for (const [key, text] of before) remote.texts.set(key, text);
    expect(await ask(createEntityCache({ local: null, remote, changes }), ['a'], load)).toEqual([
      { call: 3 },
    ]);
  });

  it('is not kept when it was asked for before, nor waited for by who asks after', async () => {
    const changes = createHeard();
    const cache = createEntityCache({ local: LOCAL, remote: null, changes });
    const { load, calls, go } = createHeldLoad((call) => answer({ call }, 60));
    const before = ask(cache, ['a'], load);
    changes.hear(1, 'tax a');
    const after = ask(cache, ['a'], load);
    await turn();
    go();
    expect(await Promise.all([before, after])).toEqual([[{ call: 1 }], [{ call: 2 }]]);
    expect([await ask(cache, ['a'], load), calls()]).toEqual([[{ call: 2 }], 2]);
  });

  it('cannot be known while nothing is heard: nothing that is kept is used until it is', async () => {
    let elapsed = 0;
    const changes = createKnownChanges(() => elapsed);
    const cache = createEntityCache({ local: LOCAL, remote: createSharedStore(), changes });
    const { load } = createLoad((call) => answer({ call }, 60));
    expect(await ask(cache, ['a'], load)).toEqual([{ call: 1 }]);
    expect(await ask(cache, ['a'], load)).toEqual([{ call: 2 }]);
    changes.take({ changes: [], position: 0 }, elapsed);
    expect(await ask(cache, ['a'], load)).toEqual([{ call: 2 }]);
    elapsed = 1_001;
    expect(await ask(cache, ['a'], load)).toEqual([{ call: 3 }]);
  });
});

describe('an answer that is past its time', () => {
  const block = (call: number, status = 'OK') => ({
    tax: { status, grade: call, source: { asOf: '2026-06-01' } },
  });
  const GRACE: Grace = { whileRevalidating: 30, onError: 300 };

  async function keepThenWait(seconds: number, grace?: Grace, first: Record<string, unknown> = block(1)) {
    let time = 0;
    const changes = createHeard();
    const cache = createEntityCache({ local: LOCAL, remote: createSharedStore(), changes, now: () => time });
    await ask(cache, ['a'], createLoad(() => answer(first, 60, grace)).load);
    time = seconds * 1_000;
    return { cache, changes, wait: (more: number) => (time += more * 1_000) };
  }

  it('stands in, marked as STALE, while one fresh one is fetched beside the request', async () => {
    const { cache } = await keepThenWait(80, GRACE);
    const { load, calls, go } = createHeldLoad(() => answer(block(2), 60, GRACE));
    const stale = [{ tax: { status: 'STALE', grade: 1, source: { asOf: '2026-06-01' } } }];
    expect(await ask(cache, ['a'], load)).toEqual(stale);
    expect(await ask(cache, ['a'], load, 'bank-b')).toEqual(stale);
    go();
    await turn();
    expect([await ask(cache, ['a'], load), calls()]).toEqual([[block(2)], 1]);
  });

  it.each([
    ['could not be reached', UNREACHABLE],
    ['says that it could not find out', answer(block(0, 'TIMEOUT'), 0)],
  ])('stands in when the department %s', async (_, failure) => {
    const { cache, wait } = await keepThenWait(200, GRACE);
    const { load } = createLoad(() => failure);
    expect(await ask(cache, ['a'], load)).toMatchObject([{ tax: { status: 'STALE', grade: 1 } }]);
    wait(160);
    expect(await ask(cache, ['a'], load)).toEqual([failure.entity]);
  });

  it('does not stand in where the department did not allow it', async () => {
    const { cache } = await keepThenWait(61);
    expect(await ask(cache, ['a'], createLoad(() => UNREACHABLE).load)).toEqual([{ tax: null }]);
  });

  it('does not stand in for a refusal', async () => {
    const { cache } = await keepThenWait(200, GRACE);
    const refusal: Loaded = { ...UNREACHABLE, errors: [{ message: '', extensions: { code: 'FORBIDDEN' } }] };
    expect(await ask(cache, ['a'], createLoad(() => refusal).load)).toEqual([{ tax: null }]);
  });

  it.each([
    ['its status was not asked for', { tax: { grade: 1 } }],
    ['it says something outside of a block', { tax: { status: 'OK' }, name: 'x' }],
    ['one of two blocks does not say', { tax: { status: 'OK' }, courts: { records: [] } }],
  ])('does not stand in where it could not be marked: %s', async (_, entity) => {
    const { cache } = await keepThenWait(80, GRACE, entity);
    const { load } = createLoad(() => answer(block(2), 60));
    expect(await ask(cache, ['a'], load)).toEqual([block(2)]);
  });

  it('never stands in once its subject was announced as changed, not even while it is waited for', async () => {
    const { cache, changes } = await keepThenWait(80, GRACE);
    changes.hear(1, '* a');
    expect(await ask(cache, ['a'], createLoad(() => UNREACHABLE).load)).toEqual([{ tax: null }]);

    const late = await keepThenWait(200, GRACE);
    const { load, go } = createHeldLoad(() => UNREACHABLE);
    const asked = ask(late.cache, ['a'], load);
    await turn();
    late.changes.hear(1, '* a');
    go();
    expect(await asked).toEqual([{ tax: null }]);
  });
});
