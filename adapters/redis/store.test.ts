import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { pino } from 'pino';
import { freePort } from '../postgres/free-port.ts';
import type { RedisStore } from './store.ts';
import { createRedisStore } from './store.ts';

const URL = process.env['JINXIN_TEST_REDIS_URL'] ?? '';
const SERVER = process.env['JINXIN_TEST_REDIS_SERVER'] ?? 'redis-server';
const key = generateKeyPairSync('ed25519').privateKey;
const log = pino({ level: 'silent' });
const open = (url: string, sealingKey = key) => createRedisStore({ url, sealingKey, log });

/** The first commands race the connection, and a store that is not connected answers with misses. */
async function untilKept(store: RedisStore, name: string): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    await store.setMany([{ key: name, value: 'kept', seconds: 60 }]);
    if ((await store.getMany([name]))[0] === 'kept') return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('Redis did not come to keep anything within five seconds');
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
      { key: 'a', value: '{"name":"天津"}', seconds: 60 },
      { key: 'b', value: '2', seconds: 60 },
    ]);
    expect(await store.getMany(['b', 'nobody', 'a'])).toEqual(['2', null, '{"name":"天津"}']);
    expect(await raw.ttl('jinxin:e:a')).toBeGreaterThan(50);
  });

  it('shows nobody who reads Redis what it keeps', async () => {
    await store.setMany([{ key: 'secret', value: 'grade A', seconds: 60 }]);
    expect((await raw.getBuffer('jinxin:e:secret'))?.toString('latin1')).not.toContain('grade');
  });

  it('takes for a miss what was changed, moved, written by somebody else or under another key', async () => {
    await store.setMany([{ key: 'own', value: 'mine', seconds: 60 }]);
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
    const stranger = open(URL, generateKeyPairSync('ed25519').privateKey);
    await untilKept(stranger, 'stranger');
    expect(await stranger.getMany(['own'])).toEqual([null]);
    await stranger.close();
  });
});

describe('a Redis that is not there', () => {
  it('is a miss at once, never an error, and is found again when it is back', async () => {
    const port = await freePort();
    const store = open(`redis://127.0.0.1:${port}`);
    expect(await store.getMany(['x', 'y'])).toEqual([null, null]);
    await store.setMany([{ key: 'x', value: '1', seconds: 5 }]);
    const server = start(port);
    await untilKept(store, 'back');
    server.kill('SIGKILL');
    await once(server, 'exit');
    const startedAt = performance.now();
    for (let call = 0; call < 50; call++) expect(await store.getMany(['back'])).toEqual([null]);
    // One timeout of 50 ms at most, not fifty: a tenfold margin over it.
    expect(performance.now() - startedAt).toBeLessThan(500);
    const again = start(port);
    await untilKept(store, 'again');
    await store.close();
    again.kill('SIGKILL');
    await once(again, 'exit');
  }, 30_000);

  it('that is frozen costs one timeout and then none', async () => {
    const port = await freePort();
    const server = start(port);
    const store = open(`redis://127.0.0.1:${port}`);
    await untilKept(store, 'here');
    server.kill('SIGSTOP');
    const startedAt = performance.now();
    for (let call = 0; call < 20; call++) expect(await store.getMany(['here'])).toEqual([null]);
    expect(performance.now() - startedAt).toBeLessThan(600);
    server.kill('SIGKILL');
    await once(server, 'exit');
    await store.close();
  }, 30_000);
});

function start(port: number): ChildProcess {
  return spawn(SERVER, ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'], {
    stdio: 'ignore',
  });
}
