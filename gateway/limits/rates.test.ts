import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { pino } from 'pino';
import { freePort } from '../../adapters/postgres/free-port.ts';
import type { Counters } from '../../adapters/redis/counters.ts';
import { createCounters } from '../../adapters/redis/counters.ts';
import { sandboxKey } from '../../schema/keys.ts';
import { createKeyedRates, createRates, readConsumerRates } from './rates.ts';

const URL = process.env['JINXIN_TEST_REDIS_URL'] ?? '';
const SERVER = process.env['JINXIN_TEST_REDIS_SERVER'] ?? 'redis-server';
const log = pino({ level: 'silent' });
const open = (url: string | null): Counters => createCounters({ url, secret: sandboxKey('gateway'), log });
/** A window longer than any test, so that none ends in the middle of one. */
const LONG = 600;

/** How many of `tries` there was room for. */
async function room(take: (key: string) => Promise<void>, key: string, tries: number): Promise<number> {
  let taken = 0;
  for (let at = 0; at < tries; at++)
    taken += await take(key).then(
      () => 1,
      () => 0,
    );
  return taken;
}

describe('the rates of consumers', () => {
  it('are read from one line, with a default', () => {
    expect(readConsumerRates(' bank-a = 200,default=50, a=b=7 ', 1_000)).toEqual({
      fallback: 50,
      of: new Map([
        ['bank-a', 200],
        ['a=b', 7],
      ]),
    });
    expect(readConsumerRates('', 1_000)).toEqual({ fallback: 1_000, of: new Map() });
    for (const bad of [
      'bank-a',
      'bank-a=',
      'bank-a=0',
      'bank-a=-1',
      'bank-a=1.5',
      '=5',
      'a=1,a=2',
      'a=99999999',
    ])
      expect(readConsumerRates(bad, 1_000)).toBeNull();
  });

  it('hold for each by itself, whatever its name', async () => {
    const counters = open(null);
    const rates = readConsumerRates('bank-a=7,__proto__=3,default=5', 1_000);
    const take = createRates(rates ?? { fallback: 0, of: new Map() }, counters);
    const names = ['bank-a', 'bank-b', '__proto__', 'constructor', 'default'];
    const taken = await Promise.all(names.map((name) => room(take, name, 20)));
    expect(taken).toEqual([7, 5, 3, 5, 5]);
    await expect(take('bank-a')).rejects.toMatchObject({
      extensions: { code: 'RATE_LIMITED', retryAfter: 1 },
    });
  });
});

describe('a limit by key', () => {
  it('says how long to wait', async () => {
    const take = createKeyedRates('looked-up', 2, LONG, open(null));
    expect(await room(take, 'somebody', 5)).toBe(2);
    await expect(take('somebody')).rejects.toMatchObject({ extensions: { retryAfter: LONG } });
    expect(await room(take, 'somebody else', 5)).toBe(2);
  });

  describe('on Redis', () => {
    let one: Counters;
    let other: Counters;
    beforeAll(async () => {
      [one, other] = [open(URL), open(URL)];
      await untilShared(one, other);
    });
    afterAll(() => Promise.all([one.close(), other.close()]));

    it('is counted together by all processes', async () => {
      const name = randomUUID();
      const takers = [one, other].map((counters) => createKeyedRates(name, 10, LONG, counters));
      const taken = await Promise.all(takers.map((take) => room(take, 'bank-a', 20)));
      expect((taken[0] ?? 0) + (taken[1] ?? 0)).toBe(10);
    });

    it('tells a reader of Redis nothing of whom it counts', async () => {
      const name = randomUUID();
      await createKeyedRates(name, 10, LONG, one)('120101190001010016');
      const raw = new Redis(URL);
      const keys = await raw.keys(`*${name}*`);
      raw.disconnect();
      expect(keys).toHaveLength(1);
      expect(keys.join()).not.toContain('1201');
    });
  });

  it('goes on by itself while Redis is dead or frozen: one timeout and then none', async () => {
    const port = await freePort();
    const server = start(port);
    const counters = open(`redis://127.0.0.1:${port}`);
    const second = open(`redis://127.0.0.1:${port}`);
    await untilShared(counters, second);
    const take = createKeyedRates('frozen', 30, LONG, counters);
    server.kill('SIGSTOP');
    const startedAt = performance.now();
    // Had each waited for Redis it would have been two seconds and a half.
    expect(await room(take, 'bank-a', 50)).toBe(30);
    expect(performance.now() - startedAt).toBeLessThan(600);
    server.kill('SIGCONT');
    await untilShared(counters, second);
    server.kill('SIGKILL');
    await once(server, 'exit');
    expect(await room(createKeyedRates('dead', 30, LONG, counters), 'bank-a', 50)).toBe(30);
    const again = start(port);
    await untilShared(counters, second);
    await Promise.all([counters.close(), second.close()]);
    again.kill('SIGKILL');
    await once(again, 'exit');
  }, 30_000);
});

/** The first commands race the connection: until one process sees what the other took. */
async function untilShared(one: Counters, other: Counters): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const name = randomUUID();
    await one.counter(name, 1, LONG)('key');
    if ((await other.counter(name, 1, LONG)('key')) !== null) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('two processes did not come to count together within ten seconds');
}

function start(port: number): ChildProcess {
  return spawn(SERVER, ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'], {
    stdio: 'ignore',
  });
}
