/** More than the gateway can do: what is refused says so in order, checks go before bulk, and probes are always answered. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { GatewayProcess } from '../bench/overload/gateway-process.ts';
import { BULK, CHECK, startGatewayProcess } from '../bench/overload/gateway-process.ts';
import type { Answered, Load } from '../bench/overload/load.ts';
import { createLoad } from '../bench/overload/load.ts';
import { request } from 'undici';

let gateway: GatewayProcess;
let load: Load;

beforeAll(async () => {
  gateway = await startGatewayProcess();
  load = await createLoad(gateway.url, 200);
  // What came before is known: who asks, and what is large.
  await Promise.all([load.closed(CHECK, 1, 0.5), load.closed(BULK, 1, 0.5)]);
}, 60_000);
afterAll(async () => {
  await load.close();
  await gateway.close();
});

const rate = (list: readonly Answered[], status: number) =>
  list.filter((one) => one.status === status).length / list.length;

it('refuses the less urgent first, with 503 and Retry-After, and never a probe', async () => {
  // By what this machine can do, not by a number of ours.
  const capacity = await load.closed(BULK, 20, 1);
  const probe = async (path: string) => (await request(new URL(path, gateway.url))).statusCode;
  const [bulk, checks, ...probes] = await Promise.all([
    load.open(BULK, Math.ceil(2.5 * capacity), 3),
    load.open(CHECK, 20, 3),
    ...Array.from({ length: 5 }, (_, at) => probe(at % 2 === 0 ? '/health/ready' : '/metrics')),
  ]);
  expect(probes).toEqual([200, 200, 200, 200, 200]);
  expect(rate(bulk, 200) + rate(bulk, 503)).toBe(1);
  expect(bulk.filter(({ status, hasRetryAfter }) => status === 503 && !hasRetryAfter)).toEqual([]);
  expect(rate(bulk, 503)).toBeGreaterThan(0.5);
  expect(rate(checks, 200)).toBeGreaterThan(0.9);
  const page = await (await request(new URL('/metrics', gateway.url))).body.text();
  expect(page).toMatch(/jinxin_gateway_admissions_total\{urgency="bulk",outcome="shed"\} [1-9]/);
}, 60_000);

it('is as it was before when the load has gone', async () => {
  expect(rate(await load.open(CHECK, 10, 1), 200)).toBe(1);
});
