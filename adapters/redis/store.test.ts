import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { generateKeyPairSync } from 'node:crypto';
import { pino } from 'pino';
import { until } from '../../tests/kit/redis.ts';
import type { RedisStore } from './store.ts';
import { createRedisStore } from './store.ts';

const URL = process.env['JINXIN_TEST_REDIS_URL'] ?? '';
const key = generateKeyPairSync('ed25519').privateKey;
const log = pino({ level: 'silent' });
const later = () => Date.now() + 60_000;
const open = (url: string, sealingKey = key) => createRedisStore({ url, sealingKey, log });

/** The first commands race the connection, and a store that is not connected answers with misses. */
async function untilKept(store: RedisStore, name: string): Promise<void> {
  await until('Redis to keep something', async () => {
    await store.setMany([{ key: name, value: 'kept', until: later() }]);
    return (await store.getMany([name]))[0] === 'kept';
  });
}

describe('the store on Redis', () => {
  let store: RedisStore;
  let raw: Redis;
  beforeAll(async () => {
    store = open(URL);
    raw = new Redis(URL);
    await untilKept(store, 'warm-up');
  });
  afterAll(async () => {
    await store.close();
    raw.disconnect();
  });

  it('gives back what it was given, in the order of the keys, and misses the rest', async () => {
    await store.setMany([
      { key: 'a', value: '{"name":"天津"}', until: later() },
      { key: 'b', value: '2', until: later() },
    ]);
    expect(await store.getMany(['b', 'nobody', 'a'])).toEqual(['2', null, '{"name":"天津"}']);
    expect(await raw.ttl('jinxin:e:a')).toBeGreaterThan(50);
  });

  it('shows nobody who reads Redis what it keeps', async () => {
    await store.setMany([{ key: 'secret', value: 'grade A', until: later() }]);
    expect((await raw.getBuffer('jinxin:e:secret'))?.toString('latin1')).not.toContain('grade');
  });

  it('takes for a miss what was changed, moved, written by somebody else or under another key', async () => {
    await store.setMany([{ key: 'own', value: 'mine', until: later() }]);
    const sealed = (await raw.getBuffer('jinxin:e:own')) ?? Buffer.alloc(0);
    const flipped = Buffer.from(sealed);
    flipped[20] = (flipped[20] ?? 0) ^ 1;
    await raw.set('jinxin:e:flipped', flipped);
    await raw.set('jinxin:e:moved', sealed);
    await raw.set('jinxin:e:plain', 'mine');
    await raw.set('jinxin:e:empty', '');
    expect(await store.getMany(['flipped', 'moved', 'plain', 'empty', 'own'])).toEqual([
      null,
      null,
      null,
      null,
      'mine',
    ]);
  });

  it('takes for a miss what another platform wrote under the same name', async () => {
    await store.setMany([{ key: 'own', value: 'mine', until: later() }]);
    const stranger = open(URL, generateKeyPairSync('ed25519').privateKey);
    await untilKept(stranger, 'stranger');
    expect(await stranger.getMany(['own'])).toEqual([null]);
    await stranger.close();
  });

  it('asks once for what is asked for in one turn of the loop', async () => {
    await store.setMany([{ key: 'x', value: '1', until: later() }]);
    const calls = async () =>
      Number(/cmdstat_mget:calls=(\d+)/.exec(await raw.info('commandstats'))?.[1] ?? 0);
    const before = await calls();
    const fetches = [['x', 'y'], ['x'], ['z', 'x']].map((keys) => store.getMany(keys));
    expect(await Promise.all(fetches)).toEqual([['1', null], ['1'], [null, '1']]);
    expect((await calls()) - before).toBe(1);
  });
});
