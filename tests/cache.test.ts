/** Two gateways that share a Redis: what one has fetched the other need not ask for, and without Redis both go on. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { pino } from 'pino';
import { request } from 'undici';
import { readConfig } from '../gateway/config.ts';
import type { RunningGateway } from '../gateway/serve.ts';
import { serveGateway } from '../gateway/serve.ts';
import type { Platform } from './kit/platform.ts';
import { startPlatform } from './kit/platform.ts';

const REDIS_URL = process.env['JINXIN_TEST_REDIS_URL'] ?? '';
const ROOT = join(import.meta.dirname, '..');

let platform: Platform;
let second: RunningGateway;
beforeAll(async () => {
  platform = await startPlatform({ scale: 60, environment: { REDIS_URL } });
  const config = readConfig(
    {
      JINXIN_PLATFORM_URL: await platform.databaseUrl('platform'),
      JINXIN_SUBGRAPHS_URL: new URL(platform.subgraphUrls['tax'] ?? '').origin,
      JINXIN_ISSUER: 'sandbox',
      JINXIN_SIGN: 'true',
      JINXIN_CATALOGUE: join(ROOT, 'schema/catalogue.json'),
      REDIS_URL,
    },
    { supergraph: join(ROOT, 'schema/supergraph.graphql'), listen: '127.0.0.1:0' },
  );
  second = await serveGateway(config, { log: pino({ level: 'silent' }) });
}, 60_000);
afterAll(async () => {
  await second.close();
  await platform.close();
});

it('answers from what the other gateway fetched, the same answer, without a call', async () => {
  const query = `{ creditSubject(code: "${platform.population[11]?.code}") { name tax { status grade source { fetchedAt } } courts { status } } }`;
  const first = await platform.ask({ as: 'bank-a', query });
  const before = platform.simulators.calls();
  const response = await request(second.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${await platform.token('bank-a')}`,
    },
    body: JSON.stringify({ query }),
  });
  const { data } = (await response.body.json()) as { data: unknown };
  expect(data).toEqual(first.data);
  expect(platform.callsSince(before)).toMatchObject({ tax: 0, courts: 0 });
});

it('keeps no answer of a department that could not be read', async () => {
  const query = `{ creditSubject(code: "${platform.population[12]?.code}") { courts { status } } }`;
  await platform.simulators.setFault('courts', 'refuse');
  const sick = await platform.ask({ as: 'bank-a', query });
  await platform.simulators.setFault('courts', null);
  expect(sick.data.creditSubject.courts.status).toBe('UNAVAILABLE');
  const well = await platform.ask({ as: 'bank-a', query });
  expect(well.data.creditSubject.courts.status).toMatch(/^(OK|NONE_FOUND)$/);
});
