/** Redis goes away under load, in each way that it can: no request fails, and departments are asked no more than without it. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Platform } from './kit/platform.ts';
import { startPlatform } from './kit/platform.ts';
import type { TestRedis } from './kit/redis.ts';
import { startTestRedis } from './kit/redis.ts';

let redis: TestRedis;
let platform: Platform;
beforeAll(async () => {
  redis = await startTestRedis();
  platform = await startPlatform({ scale: 120, environment: { REDIS_URL: redis.url } });
}, 60_000);
afterAll(async () => {
  await platform.close();
  await redis.close();
});

async function ask(at: number): Promise<unknown> {
  const query = `{ creditSubject(code: "${platform.population[at]?.code}") { courts { status } } }`;
  const { status, data, errors } = await platform.ask({ as: 'bank-a', query });
  return [status, errors.length, /^(OK|NONE_FOUND)$/.test(data.creditSubject.courts.status as string)];
}

it.each([
  ['is frozen', 20, () => Promise.resolve(redis.freeze()), () => Promise.resolve(redis.thaw())],
  ['is killed', 30, () => redis.kill(), () => redis.start()],
  [
    'has no room left',
    40,
    () => redis.raw.config('SET', 'maxmemory', '1'),
    () => redis.raw.config('SET', 'maxmemory', '0'),
  ],
  [
    'has become a replica',
    50,
    () => redis.raw.replicaof('127.0.0.1', '1'),
    () => redis.raw.replicaof('NO', 'ONE'),
  ],
  ['is emptied', 60, () => redis.raw.flushall(), () => Promise.resolve('OK')],
] as const)(
  'answers everybody while Redis %s, and asks for each company once',
  async (_, first, fault, heal) => {
    const companies = Array.from({ length: 8 }, (_, at) => first + at);
    const before = platform.simulators.calls();
    // Every company is asked for twice, on the way into the fault, in it and on the way out.
    const into = Promise.all(companies.slice(0, 4).map(ask));
    await fault();
    const within = [];
    for (const at of [...companies, ...companies]) within.push(await ask(at));
    await heal();
    const out = await Promise.all(companies.map(ask));
    for (const answer of [...(await into), ...within, ...out]) expect(answer).toEqual([200, 0, true]);
    expect(platform.callsSince(before)['courts']).toBeLessThanOrEqual(companies.length);
  },
);
