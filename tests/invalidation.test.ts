/** What was announced as changed is shown by no gateway, with Redis and without it. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pino } from 'pino';
import { request } from 'undici';
import { readConfig } from '../gateway/config.ts';
import type { RunningGateway } from '../gateway/serve.ts';
import { serveGateway } from '../gateway/serve.ts';
import type { Platform } from './kit/platform.ts';
import { startPlatform } from './kit/platform.ts';
import type { TestRedis } from './kit/redis.ts';
import { startTestRedis, until } from './kit/redis.ts';

const ROOT = join(import.meta.dirname, '..');
let redis: TestRedis;
let platform: Platform;
let platformUrl: string;
let second: RunningGateway;
beforeAll(async () => {
  redis = await startTestRedis();
  platform = await startPlatform({ scale: 60, environment: { REDIS_URL: redis.url } });
  platformUrl = await platform.databaseUrl('platform');
  const config = readConfig(
    {
      JINXIN_PLATFORM_URL: platformUrl,
      JINXIN_SUBGRAPHS_URL: new URL(platform.subgraphUrls['tax'] ?? '').origin,
      JINXIN_ISSUER: 'sandbox',
      JINXIN_SIGN: 'true',
      JINXIN_CATALOGUE: join(ROOT, 'schema/catalogue.json'),
      REDIS_URL: redis.url,
    },
    { supergraph: join(ROOT, 'schema/supergraph.graphql'), listen: '127.0.0.1:0' },
  );
  second = await serveGateway(config, { log: pino({ level: 'silent' }) });
}, 60_000);
afterAll(async () => {
  await second.close();
  await platform.close();
  await redis.close();
});

/** `npm run cache:invalidate`, as somebody types it. */
function invalidate(...args: string[]): Promise<{ code: number; said: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--import', 'tsx', join(ROOT, 'scripts/cache-invalidate.ts'), ...args],
      { env: { PATH: process.env['PATH'], JINXIN_PLATFORM_URL: platformUrl, REDIS_URL: redis.url } },
      (error, out, err) => resolve({ code: error ? Number(error.code) : 0, said: out + err }),
    );
  });
}

/** Asks both gateways what the courts say of a company; the calls that reached the courts. */
async function callsToCourts(code: string): Promise<number> {
  const query = `{ creditSubject(code: "${code}") { courts { status source { fetchedAt } } } }`;
  const before = platform.simulators.calls();
  for (const url of [platform.url, second.url]) {
    const response = await request(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${await platform.token('bank-a')}`,
      },
      body: JSON.stringify({ query }),
    });
    const { data } = (await response.body.json()) as {
      data: { creditSubject: { courts: { status: string } } };
    };
    expect(data.creditSubject.courts.status).toMatch(/^(OK|NONE_FOUND)$/);
  }
  return platform.callsSince(before)['courts'] ?? 0;
}

async function expectKept(code: string): Promise<void> {
  await until('both gateways to keep it', async () => (await callsToCourts(code)) === 0);
}

describe('npm run cache:invalidate', () => {
  it('makes every gateway ask anew, once, of this subject and this department', async () => {
    const [code = '', other = ''] = [21, 22].map((at) => platform.population[at]?.code);
    await expectKept(code);
    await expectKept(other);
    expect(await invalidate(code, 'courts')).toEqual({
      code: 0,
      said: expect.stringContaining(`O-${code} · courts`),
    });
    await until('the gateways to ask anew', async () => (await callsToCourts(code)) > 0);
    await expectKept(code);
    expect(await callsToCourts(other)).toBe(0);
    await invalidate(code, 'tax');
    await until('the gateways to have heard', async () => {
      await invalidate(other);
      return (await callsToCourts(other)) > 0;
    });
    expect(await callsToCourts(code)).toBe(0);
  }, 60_000);

  it('holds while Redis is away, and what Redis still holds when it is back is not used', async () => {
    const code = platform.population[23]?.code ?? '';
    await expectKept(code);
    redis.freeze();
    expect((await invalidate(code)).code).toBe(0);
    await until('the gateways to ask anew', async () => (await callsToCourts(code)) > 0);
    redis.thaw();
    // The entry of before lies in Redis beside the new one; whichever is read, the department is not asked in vain for ever.
    await expectKept(code);
  }, 60_000);

  it('refuses what is no code and no department, and repeats no number', async () => {
    const bad = await invalidate('91120101MA9TYN0160');
    expect([bad.code, bad.said]).toEqual([1, expect.stringContaining('GB 32100')]);
    const person = await invalidate('120101190001010016');
    expect([person.code, person.said.includes('120101190001010016')]).toEqual([1, false]);
    const unknown = await invalidate('91120101MA9TYN016Y', 'customs');
    expect([unknown.code, unknown.said]).toEqual([1, expect.stringContaining('courts, ')]);
  }, 60_000);
});
