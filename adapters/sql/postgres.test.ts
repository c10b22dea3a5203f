import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import pg from 'pg';
import type { FaultProxy, WireFault } from '../../simulators/fault-proxy.ts';
import { createFaultProxy } from '../../simulators/fault-proxy.ts';
import type { TestDatabases } from '../../tests/kit/postgres.ts';
import { createTestDatabases } from '../../tests/kit/postgres.ts';
import type { Adapter, LegacyFault } from '../adapter.ts';
import { isLegacyError } from '../adapter.ts';
import { describeAdapterContract } from '../contract.ts';
import { createPostgresAdapter } from './postgres.ts';
import type { SqlLimits, SqlRequest } from './request.ts';
import { createByteSpoiler } from './byte-spoiler.ts';

const SYSTEM = 'exchange database';
const ALL = 'SELECT "编号", "名称" FROM "名录" ORDER BY 1';

let databases: TestDatabases;
let url: URL;
let proxy: FaultProxy;
let control: pg.Client;
let adapter: Adapter<SqlRequest>;

const through = (port: number): string =>
  Object.assign(new URL(url), { hostname: '127.0.0.1', port: String(port) }).href;
const connectTo = (href: string, limits: Partial<SqlLimits> = {}, poolSize = 2) =>
  createPostgresAdapter({ system: SYSTEM, url: href, poolSize, limits });
const never = () => ({ signal: new AbortController().signal, deadline: Infinity });
const call = (text: string, values: readonly unknown[] = [], by = adapter) =>
  by.call({ text, values }, never());
const faultOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'answered',
    (error: unknown) => (isLegacyError(error) ? error.fault : error),
  );

beforeAll(async () => {
  databases = createTestDatabases();
  url = new URL(await databases.url('exchange'));
  control = new pg.Client({ connectionString: url.href });
  await control.connect();
  await control.query('CREATE TABLE "名录" ("编号" int, "名称" text)');
  await control.query(
    `INSERT INTO "名录" SELECT n, '天津津信测试' || n || '（集团）有限公司' FROM generate_series(1, 50) n`,
  );
  proxy = await createFaultProxy({ host: url.hostname, port: Number(url.port) }, 0);
  adapter = connectTo(through(proxy.port));
});
afterAll(async () => {
  await adapter.close();
  await proxy.close();
  await control.end();
  await databases.close();
});

const FAULTS: Readonly<Record<WireFault, readonly LegacyFault[]>> = {
  refuse: ['unavailable'],
  slow: ['timeout'],
  hang: ['timeout'],
  reset: ['unavailable', 'malformed'],
  truncate: ['unavailable', 'malformed'],
  garble: ['malformed'],
  html: ['malformed'],
  oversize: ['malformed'],
};

for (const [state, prepare] of [
  ['on new connections', () => Promise.resolve()],
  ['on a connection that was well', async () => void (await call(ALL))],
] as const)
  describeAdapterContract(`PostgreSQL ${state}`, () => ({
    adapter,
    request: { text: ALL, values: [] },
    faults: FAULTS,
    async fault(name) {
      await prepare();
      proxy.setFault(name as WireFault);
    },
    heal: () => Promise.resolve(proxy.setFault(null)),
    openCalls: () => proxy.openCalls(),
  }));

describe('PostgreSQL rows', () => {
  it('have their Chinese columns, and values whose digits and days nobody changed', async () => {
    const { rows } = await call(
      `SELECT 1 AS "数", true AS "是", NULL AS "无", 9007199254740993::bigint AS "长", 1.10::numeric AS "额",
        date '1978-03-01' AS "日", '{"甲":[1]}'::json AS "物", $1::text AS "字"`,
      ['（）"\'\\ \u3000䶮'],
    );
    expect(rows).toEqual([
      {
        数: 1,
        是: true,
        无: null,
        长: '9007199254740993',
        额: '1.10',
        日: '1978-03-01',
        物: { 甲: [1] },
        字: '（）"\'\\ \u3000䶮',
      },
    ]);
  });

  it('are of one statement that only reads', async () => {
    expect(await faultOf(call('SELECT 1; SELECT 2'))).toBe('malformed');
    expect(await faultOf(call('DELETE FROM "名录"'))).toBe('refused');
    expect(await faultOf(call(`SELECT 1 WHERE 'x' = $1`, [`x'; DROP TABLE "名录"; --`]))).toBe('answered');
    expect((await call(ALL)).rows).toHaveLength(50);
  });

  it('beyond the limit of rows or of bytes make a reply malformed, and the next one is none the worse', async () => {
    const narrow = connectTo(url.href, { maxRows: 50, maxBytes: 20_000 });
    expect((await call(ALL, [], narrow)).rows).toHaveLength(50);
    expect(await faultOf(call('SELECT generate_series(1, 51)', [], narrow))).toBe('malformed');
    expect(await faultOf(call(`SELECT repeat('x', 30000)`, [], narrow))).toBe('malformed');
    expect((await call(ALL, [], narrow)).rows).toHaveLength(50);
    await narrow.close();
  });
});

describe('PostgreSQL errors', () => {
  it.each([
    ['a column that was renamed', 'SELECT "旧名" FROM "名录"', 'malformed'],
    ['a view that is gone', 'SELECT * FROM "v_无"', 'malformed'],
    ['a statement that takes too long', 'SELECT pg_sleep(5)', 'timeout'],
    ['a table that is not ours to read', 'SELECT * FROM pg_authid', 'refused'],
    ['a value that cannot be converted', `SELECT 'x'::int`, 'malformed'],
  ])('%s', async (_, text, fault) => {
    const role = `${url.pathname.slice(1)}_reader`;
    await control.query(
      `CREATE ROLE "${role}" LOGIN PASSWORD 'p'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO "${role}"`,
    );
    const reader = connectTo(Object.assign(new URL(url), { username: role, password: 'p' }).href, {
      statementMs: 200,
    });
    expect(await faultOf(call(text, [], reader))).toBe(fault);
    expect((await call(ALL, [], reader)).rows).toHaveLength(50);
    await reader.close();
    await control.query(`DROP OWNED BY "${role}"; DROP ROLE "${role}"`);
  });

  it('never say what the server said, nor the password', async () => {
    const wrong = connectTo(Object.assign(new URL(url), { password: 'wrong-password' }).href);
    const error: unknown = await call(ALL, [], wrong).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      fault: 'refused',
      message: 'exchange database refused our account (28P01)',
    });
    const quoted: unknown = await call(`SELECT '120101190001010016'::int`).catch((reason: unknown) => reason);
    expect(String(quoted) + JSON.stringify(quoted)).not.toContain('1900');
    expect((quoted as Error).cause).toBeUndefined();
    await wrong.close();
  });

  it('come from a server that is not there as well', async () => {
    const nobody = connectTo('postgres://a:b@127.0.0.1:1/none');
    expect(await faultOf(call(ALL, [], nobody))).toBe('unavailable');
    await nobody.close();
    expect(await faultOf(call(ALL, [], nobody))).toBe('unavailable');
  });
});

describe('PostgreSQL connections', () => {
  it('are as many as the pool has places, and callers wait for one', async () => {
    const pooled = connectTo(url.href, {}, 3);
    const pids = await Promise.all(
      Array.from({ length: 20 }, () => call('SELECT pg_backend_pid() AS pid, pg_sleep(0.01)', [], pooled)),
    );
    expect(new Set(pids.map(({ rows }) => rows[0]?.['pid'])).size).toBe(3);
    await pooled.close();
  });

  it('let a caller leave who waits for a place, and serve the next', async () => {
    const single = connectTo(url.href, {}, 1);
    const first = call('SELECT pg_sleep(0.2)', [], single);
    const leaver = new AbortController();
    const left = faultOf(
      single.call({ text: ALL, values: [] }, { signal: leaver.signal, deadline: Infinity }),
    );
    const stayed = call(ALL, [], single);
    leaver.abort();
    expect(await left).toBe('timeout');
    await first;
    expect((await stayed).rows).toHaveLength(50);
    await single.close();
  });

  it('that the server threw out while idle are not noticed by the next callers', async () => {
    const pooled = connectTo(url.href, {}, 3);
    const pids = await Promise.all(
      [1, 2, 3].map(() => call('SELECT pg_backend_pid() AS pid, pg_sleep(0.05)', [], pooled)),
    );
    for (const { rows } of pids) await control.query('SELECT pg_terminate_backend($1)', [rows[0]?.['pid']]);
    const replies = await Promise.all([1, 2, 3].map(() => call(ALL, [], pooled)));
    expect(replies.map(({ rows }) => rows.length)).toEqual([50, 50, 50]);
    await pooled.close();
  });

  it('call off on the server what nobody waits for any more', async () => {
    const leaver = new AbortController();
    const mark = `SELECT pg_sleep(30) AS ${url.pathname.slice(1)}`;
    const pending = faultOf(
      adapter.call({ text: mark, values: [] }, { signal: leaver.signal, deadline: Infinity }),
    );
    const running = async () =>
      (await control.query(`SELECT FROM pg_stat_activity WHERE state = 'active' AND query = $1`, [mark]))
        .rowCount ?? 0;
    for (let tries = 0; tries < 500 && (await running()) === 0; tries++);
    expect(await running()).toBe(1);
    leaver.abort();
    expect(await pending).toBe('timeout');
    for (let tries = 0; tries < 2_000 && (await running()) === 1; tries++);
    expect(await running()).toBe(0);
  });
});

describe('bytes changed anywhere on the way from PostgreSQL', () => {
  it('end in rows or in a fault, and in nothing else', async () => {
    const spoiler = await createByteSpoiler(url);
    const outcome = fc.asyncProperty(
      fc.integer({ min: 0, max: 4_000 }),
      fc.integer({ min: 1, max: 255 }),
      async (place, change) => {
        spoiler.spoil(place, change);
        const spoiled = connectTo(through(spoiler.port));
        const limit = AbortSignal.timeout(500);
        const result = await faultOf(
          spoiled.call({ text: ALL, values: [] }, { signal: limit, deadline: Infinity }),
        );
        await spoiled.close();
        expect(['answered', 'timeout', 'unavailable', 'refused', 'malformed']).toContain(result);
      },
    );
    await fc.assert(outcome, { numRuns: 150 });
    await spoiler.close();
  }, 120_000);
});
