import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { pino } from 'pino';
import { systemClock } from '../../adapters/clock.ts';
import type { TestDatabases } from '../../tests/kit/postgres.ts';
import { createTestDatabases } from '../../tests/kit/postgres.ts';
import type { Registration } from '../population/registrations.ts';
import { generatePopulation } from '../population/registrations.ts';
import type { RunningSimulator } from '../simulator.ts';
import simulator from './simulator.ts';

const LATENCY_MS = 300;
const ODD: Registration = {
  name: 'JEAN（天津） 贸易"有限\'公司',
  code: '无',
  registeredOn: '1999-01-06',
  kind: 'Geza VAQUETTE）',
  capital: 'KEN-CHENG）',
  district: 'N/A',
};
const POPULATION = [...generatePopulation({ size: 50, seed: 'test' }), ODD, ODD];
const ALL = 'SELECT * FROM "v_企业登记" ORDER BY "S_EXT_SEQUENCE"';

let databases: TestDatabases;
let register: RunningSimulator;

async function connect(variable: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: register.environment[variable] ?? '' });
  client.on('error', () => {});
  await client.connect();
  return client;
}
const start = () =>
  simulator.start({
    population: POPULATION,
    seed: 'test',
    clock: systemClock,
    log: pino({ level: 'silent' }),
    latencyMs: LATENCY_MS,
    postgres: (database) => databases.url(database),
  });

beforeAll(async () => {
  databases = createTestDatabases();
  register = await start();
});
afterAll(() => databases.close());

describe('the simulated register', () => {
  it('holds every registration of the population as it is, and the same in every run', async () => {
    const client = await connect('JINXIN_SUBJECTS_EXCHANGE_URL');
    const { rows } = await client.query<Record<string, string>>(ALL);
    for (const { name, code, registeredOn, capital, kind } of POPULATION)
      expect(rows).toContainEqual(
        expect.objectContaining({
          企业名称: name,
          统一社会信用代码: code,
          成立日期: registeredOn,
          注册资本: capital,
          企业类型: kind,
        }),
      );
    await client.end();
    await register.close();
    register = await start();
    const again = await connect('JINXIN_SUBJECTS_EXCHANGE_URL');
    const without = (all: readonly Record<string, unknown>[]) =>
      all.map((row) => ({ ...row, S_EXT_TIMESTAMP: null }));
    expect(without((await again.query<Record<string, unknown>>(ALL)).rows)).toEqual(without(rows));
    await again.end();
  });

  it('counts its rows truly', async () => {
    const client = await connect('JINXIN_SUBJECTS_EXCHANGE_URL');
    const { rows } = await client.query<{ 视图: string; 行数: string }>(
      'SELECT "视图", sum("行数") AS "行数" FROM "v_对账" GROUP BY 1',
    );
    expect(rows.length).toBeGreaterThan(2);
    for (const { 视图: view, 行数: count } of rows)
      expect((await client.query(`SELECT FROM "${view}"`)).rowCount).toBe(Number(count));
    await client.end();
  });

  it('takes its time for an answer, and counts it; neither for a login', async () => {
    const before = register.calls();
    const loggingIn = performance.now();
    const client = await connect('JINXIN_MARKET_REGULATION_URL');
    const asking = performance.now();
    await client.query(ALL);
    const done = performance.now();
    expect(asking - loggingIn).toBeLessThan(LATENCY_MS);
    expect(done - asking).toBeGreaterThanOrEqual(LATENCY_MS - 5);
    expect(register.calls() - before).toBe(1);
    await client.end();
  });

  it.each(['JINXIN_MARKET_REGULATION_URL', 'JINXIN_SUBJECTS_EXCHANGE_URL'])(
    'lets nobody write by %s',
    async (variable) => {
      const client = await connect(variable);
      for (const statement of [
        'DELETE FROM "v_企业登记"',
        'SELECT FROM base."企业登记"',
        'CREATE TABLE mine (a int)',
      ])
        await expect(client.query(statement)).rejects.toMatchObject({ code: '42501' });
      await client.end();
    },
  );

  it('refuses a fault that it cannot have, and takes orders one after the other', async () => {
    await expect(register.setFault('error-in-200')).rejects.toThrow('error-in-200');
    const orders = ['schema-drift', 'foreign-row', 'refuse', 'expired-token', null] as const;
    await Promise.all(orders.map((fault) => register.setFault(fault)));
    const client = await connect('JINXIN_MARKET_REGULATION_URL');
    expect((await client.query(ALL)).rowCount).toBeGreaterThan(POPULATION.length);
    await client.end();
  });

  it('closes at once, with connections open', async () => {
    await connect('JINXIN_MARKET_REGULATION_URL');
    await connect('JINXIN_SUBJECTS_EXCHANGE_URL');
    const closing = performance.now();
    await register.close();
    expect(performance.now() - closing).toBeLessThan(1_000);
  });
});
