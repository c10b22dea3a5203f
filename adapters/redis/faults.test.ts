/** Redis is optional at every moment: each fault costs one wait, no answer fails, and Redis is found again. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { pino } from 'pino';
import type { FaultProxy } from '../../simulators/fault-proxy.ts';
import { createFaultProxy } from '../../simulators/fault-proxy.ts';
import type { TestCluster, TestRedis } from '../../tests/kit/redis.ts';
import { startTestCluster, startTestRedis, until } from '../../tests/kit/redis.ts';
import { freePort } from '../postgres/free-port.ts';
import type { RedisStore } from './store.ts';
import { createRedisStore } from './store.ts';

const log = pino({ level: 'silent' });
const sealingKey = generateKeyPairSync('ed25519').privateKey;
const open = (url: string) => createRedisStore({ url, sealingKey, log });
/** Two seconds and a half if each of them waited for Redis: tenfold what one wait of fifty milliseconds may take. */
const ASKED = 50;
const ONE_WAIT_MS = 500;
/** It is to be found within a second; tenfold. */
const FOUND_MS = 10_000;

async function keeps(store: RedisStore): Promise<boolean> {
  const key = randomUUID();
  await store.setMany([{ key, value: 'kept', until: Date.now() + 60_000 }]);
  return (await store.getMany([key]))[0] === 'kept';
}

/** Asks fifty times, one after the other: nobody is refused anything, and all together wait as long as one of them may. */
async function expectOneWait(store: RedisStore): Promise<void> {
  const from = performance.now();
  for (let at = 0; at < ASKED; at++) {
    expect(await store.getMany([`k${at}`, 'other'])).toEqual([null, null]);
    await store.setMany([{ key: `k${at}`, value: 'v', until: Date.now() + 60_000 }]);
  }
  expect(performance.now() - from).toBeLessThan(ONE_WAIT_MS);
}

describe('a single Redis', () => {
  let redis: TestRedis;
  let store: RedisStore;
  beforeEach(async () => {
    redis = await startTestRedis();
    store = open(redis.url);
    await until('Redis to be found', () => keeps(store));
  });
  afterEach(async () => {
    await store.close();
    await redis.close();
  });

  it('that was never there is nobody’s wait, and is found when it comes', async () => {
    const port = await freePort();
    const early = open(`redis://127.0.0.1:${port}`);
    await expectOneWait(early);
    const late = await startTestRedis({ port });
    await until('Redis to be found', () => keeps(early));
    await early.close();
    await late.close();
  });

  it('that is frozen is found again when it goes on', async () => {
    redis.freeze();
    await expectOneWait(store);
    redis.thaw();
    await until('Redis to be found', () => keeps(store));
  });

  it('that is frozen for longer than a connection is believed in is found again', async () => {
    redis.freeze();
    const from = performance.now();
    await until('some probes', async () => {
      await store.getMany(['x']);
      return performance.now() - from > 3_000;
    });
    redis.thaw();
    expect(await until('Redis to be found', () => keeps(store))).toBeLessThan(FOUND_MS);
  });

  it('that is killed while it is asked is found again when it is started', async () => {
    const asked = Array.from({ length: 20 }, (_, at) => store.getMany([`k${at}`]));
    await redis.kill();
    expect((await Promise.all(asked)).flat()).toEqual(asked.map(() => null));
    await expectOneWait(store);
    await redis.start();
    expect(await until('Redis to be found', () => keeps(store))).toBeLessThan(FOUND_MS);
  });

  it('that has no room left is used again when it has', async () => {
    await redis.raw.config('SET', 'maxmemory', '1');
    await expectOneWait(store);
    await redis.raw.config('SET', 'maxmemory', '0');
    await until('Redis to be found', () => keeps(store));
  });

  it('that has become a replica is not relied on until it is a primary again', async () => {
    await redis.raw.replicaof('127.0.0.1', String(await freePort()));
    await expectOneWait(store);
    await redis.raw.replicaof('NO', 'ONE');
    await until('Redis to be found', () => keeps(store));
  });

  it('that still loads its data is used when it has', async () => {
    await redis.raw.debug('POPULATE', 10_000, 'ballast', 100);
    // Microseconds for each key: it loads for a second or two, and answers LOADING meanwhile.
    await redis.raw.config('SET', 'key-load-delay', '100');
    await redis.raw.config('SET', 'loading-process-events-interval-bytes', '1024');
    const loaded = redis.raw.debug('RELOAD');
    await expectOneWait(store);
    await loaded;
    await until('Redis to be found', () => keeps(store));
  });

  it('that forgot everything has misses, and goes on', async () => {
    await store.setMany([{ key: 'k', value: 'v', until: Date.now() + 60_000 }]);
    await redis.raw.flushall();
    expect(await store.getMany(['k'])).toEqual([null]);
    expect(await keeps(store)).toBe(true);
  });

  it('that holds something else under our names has misses', async () => {
    await redis.raw.lpush('jinxin:e:list', 'x');
    await redis.raw.set('jinxin:e:huge', Buffer.alloc(3 * 1024 * 1024));
    await redis.raw.set('jinxin:e:proto', '{"__proto__":{"polluted":true}}');
    expect(await store.getMany(['list', 'huge', 'proto'])).toEqual([null, null, null]);
    expect(await keeps(store)).toBe(true);
  });
});

describe('a way to Redis', () => {
  let redis: TestRedis;
  let proxy: FaultProxy;
  let store: RedisStore;
  beforeAll(async () => {
    redis = await startTestRedis();
    proxy = await createFaultProxy({ host: '127.0.0.1', port: redis.port }, 0);
    store = open(`redis://127.0.0.1:${proxy.port}`);
    await until('Redis to be found', () => keeps(store));
  });
  afterAll(async () => {
    await store.close();
    await proxy.close();
    await redis.close();
  });

  it.each(['refuse', 'hang', 'reset', 'truncate', 'garble', 'html', 'slow'] as const)(
    'that breaks (%s) costs one wait, and is used again when it is mended',
    async (fault) => {
      proxy.setFault(fault);
      await expectOneWait(store);
      proxy.setFault(null);
      await until('Redis to be found', () => keeps(store));
    },
  );
});

describe('a cluster of Redis', () => {
  let cluster: TestCluster;
  let store: RedisStore;
  beforeAll(async () => {
    cluster = await startTestCluster();
    store = open(cluster.url);
    await until('the cluster to be found', () => keeps(store));
  }, 30_000);
  afterAll(async () => {
    await store.close();
    await cluster.close();
  });
  const names = Array.from({ length: 60 }, (_, at) => `key-${at}`);

  it('keeps what lies on any of its nodes, in the order of the keys', async () => {
    await store.setMany(names.map((key) => ({ key, value: `of ${key}`, until: Date.now() + 60_000 })));
    expect(await store.getMany([...names, 'nobody'])).toEqual([...names.map((key) => `of ${key}`), null]);
    const sizes = await Promise.all(cluster.nodes.map(({ raw }) => raw.dbsize()));
    expect(Math.min(...sizes)).toBeGreaterThan(0);
  });

  it('whose node holds something else under our name has a miss there and nowhere else', async () => {
    const owner = cluster.nodes.map(({ raw }) =>
      raw.del('jinxin:e:key-0').then(() => raw.lpush('jinxin:e:key-0', 'x')),
    );
    await Promise.allSettled(owner);
    expect(await store.getMany(['key-0', 'key-1'])).toEqual([null, 'of key-1']);
    expect(await keeps(store)).toBe(true);
  });

  it('that has moved a slot is asked where it lies now', async () => {
    const [first] = cluster.nodes as [TestRedis];
    const slot = Number(await first.raw.cluster('KEYSLOT', 'jinxin:e:moving'));
    const ids = await Promise.all(cluster.nodes.map(({ raw }) => raw.cluster('MYID')));
    const to = cluster.nodes.length - 1 - Math.floor(slot / Math.ceil(16_384 / 3));
    await Promise.all(cluster.nodes.map(({ raw }) => raw.cluster('SETSLOT', slot, 'NODE', String(ids[to]))));
    const took = await until('the moved slot to keep', async () => {
      await store.setMany([{ key: 'moving', value: 'moved', until: Date.now() + 60_000 }]);
      return (await store.getMany(['moving']))[0] === 'moved';
    });
    expect(took).toBeLessThan(FOUND_MS);
  });

  it('of which a node is frozen costs one wait, and is found again when it goes on', async () => {
    cluster.nodes[1]?.freeze();
    const from = performance.now();
    for (let at = 0; at < ASKED; at++) expect(await store.getMany(names)).toHaveLength(names.length);
    expect(performance.now() - from).toBeLessThan(ONE_WAIT_MS);
    cluster.nodes[1]?.thaw();
    await until('the cluster to be found', () => keeps(store));
  });

  it('of which a node is killed goes on without it, and is found again when it is started', async () => {
    await cluster.nodes[2]?.kill();
    const from = performance.now();
    for (let at = 0; at < ASKED; at++) expect(await store.getMany(names)).toHaveLength(names.length);
    expect(performance.now() - from).toBeLessThan(ONE_WAIT_MS);
    await cluster.nodes[2]?.start();
    await cluster.settle();
    await until('the cluster to be found', () => keeps(store));
  }, 30_000);
});
