import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import iconv from 'iconv-lite';
import mysql from 'mysql2/promise';
import type { FaultProxy, WireFault } from '../../simulators/fault-proxy.ts';
import { createFaultProxy } from '../../simulators/fault-proxy.ts';
import type { Adapter, LegacyFault } from '../adapter.ts';
import { isLegacyError } from '../adapter.ts';
import { describeAdapterContract } from '../contract.ts';
import type { MariadbOptions } from './mariadb.ts';
import { createMariadbAdapter } from './mariadb.ts';
import type { SqlRequest } from './request.ts';
import { createByteSpoiler } from './byte-spoiler.ts';

const SYSTEM = 'exchange database';
const DATABASE = `exchange_${randomBytes(5).toString('hex')}`;
const ALL = 'SELECT 编号, 名称 FROM 名录 ORDER BY 1';
const NAME = '天津津信测试（集团）有限公司';

let url: URL;
let proxy: FaultProxy;
let control: mysql.Connection;
let adapter: Adapter<SqlRequest>;

const through = (port: number): string =>
  Object.assign(new URL(url), { hostname: '127.0.0.1', port: String(port) }).href;
const connectTo = (href: string, options: Partial<MariadbOptions> = {}) =>
  createMariadbAdapter({ system: SYSTEM, url: href, poolSize: 2, gbkInLatin1: ['名称'], ...options });
const never = () => ({ signal: new AbortController().signal, deadline: Infinity });
const call = (text: string, values: readonly unknown[] = [], by = adapter) =>
  by.call({ text, values }, never());
const faultOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'answered',
    (error: unknown) => (isLegacyError(error) ? error.fault : error),
  );

beforeAll(async () => {
  const server = process.env['JINXIN_TEST_MARIADB_URL'];
  if (server === undefined)
    throw new Error('JINXIN_TEST_MARIADB_URL is not set: run tests with `npm test -- <file>`');
  url = new URL(server);
  control = await mysql.createConnection({ uri: server, charset: 'utf8mb4' });
  await control.query(`CREATE DATABASE ${DATABASE}`);
  await control.query(`USE ${DATABASE}`);
  url.pathname = `/${DATABASE}`;
  // As such systems are: the column says latin1, what was written into it are the bytes of GBK.
  await control.query(
    'CREATE TABLE 名录 (编号 int, 名称 varchar(200) CHARACTER SET latin1, 备注 varchar(200) CHARACTER SET utf8mb4)',
  );
  await control.query(
    `INSERT INTO 名录 SELECT seq, CONCAT(X'${iconv.encode(NAME, 'gbk').toString('hex')}', seq), '天津' FROM seq_1_to_50`,
  );
  proxy = await createFaultProxy({ host: url.hostname, port: Number(url.port) }, 0);
  adapter = connectTo(through(proxy.port));
});
afterAll(async () => {
  await adapter.close();
  await proxy.close();
  await control.query(`DROP DATABASE ${DATABASE}`);
  await control.end();
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
  describeAdapterContract(`MariaDB ${state}`, () => ({
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

describe('MariaDB rows', () => {
  it('have the characters that were meant, in a column that holds GBK as latin1', async () => {
    const { rows } = await call('SELECT 编号, 名称, 备注 FROM 名录 WHERE 编号 IN (?, ?) ORDER BY 1', [1, 50]);
    expect(rows).toEqual([
      { 编号: 1, 名称: `${NAME}1`, 备注: '天津' },
      { 编号: 50, 名称: `${NAME}50`, 备注: '天津' },
    ]);
  });

  it('that were cut in the middle of a character are malformed', async () => {
    expect(await faultOf(call('SELECT LEFT(名称, 3) AS 名称 FROM 名录'))).toBe('malformed');
    expect(await faultOf(call('SELECT 备注 AS 名称 FROM 名录'))).toBe('malformed');
  });

  it('have values whose digits and days nobody changed', async () => {
    const { rows } = await call(
      `SELECT 9007199254740993 AS 长, CAST(1.10 AS DECIMAL(5,2)) AS 额, DATE '1978-03-01' AS 日, NULL AS 无, ? AS 字`,
      [`（）"'\\ 䶮`],
    );
    expect(rows).toEqual([
      { 长: '9007199254740993', 额: '1.10', 日: '1978-03-01', 无: null, 字: `（）"'\\ 䶮` },
    ]);
  });

  it('are of one statement that only reads', async () => {
    expect(await faultOf(call('SELECT 1; SELECT 2'))).toBe('malformed');
    expect(await faultOf(call('DELETE FROM 名录'))).toBe('refused');
    expect(await faultOf(call(`SELECT 1 WHERE 'x' = ?`, [`x'; DROP TABLE 名录; --`]))).toBe('answered');
    expect((await call(ALL)).rows).toHaveLength(50);
  });

  it('beyond the limit of rows or of bytes make a reply malformed, and the next one is none the worse', async () => {
    const narrow = connectTo(url.href, { limits: { maxRows: 50, maxBytes: 20_000 } });
    expect((await call(ALL, [], narrow)).rows).toHaveLength(50);
    expect(await faultOf(call('SELECT seq FROM seq_1_to_51', [], narrow))).toBe('malformed');
    expect(await faultOf(call(`SELECT REPEAT('x', 30000)`, [], narrow))).toBe('malformed');
    expect((await call(ALL, [], narrow)).rows).toHaveLength(50);
    await narrow.close();
  });
});

describe('MariaDB errors', () => {
  it.each([
    ['a column that was renamed', 'SELECT 旧名 FROM 名录', 'malformed'],
    ['a view that is gone', 'SELECT * FROM v_无', 'malformed'],
    ['a statement that takes too long', 'SELECT SLEEP(5) FROM 名录', 'timeout'],
  ])('%s', async (_, text, fault) => {
    const strict = connectTo(url.href, { limits: { statementMs: 200 } });
    expect(await faultOf(call(text, [], strict))).toBe(fault);
    expect((await call(ALL, [], strict)).rows).toHaveLength(50);
    await strict.close();
  });

  it('never say what the server said, nor the password', async () => {
    const wrong = connectTo(Object.assign(new URL(url), { password: 'wrong-password' }).href);
    const error: unknown = await call(ALL, [], wrong).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      fault: 'refused',
      message: 'exchange database refused our account (1045)',
    });
    expect((error as Error).cause).toBeUndefined();
    await wrong.close();
  });

  it('come from a server that is not there as well', async () => {
    const nobody = connectTo('mysql://a:b@127.0.0.1:1/none');
    expect(await faultOf(call(ALL, [], nobody))).toBe('unavailable');
    await nobody.close();
  });
});

describe('MariaDB connections', () => {
  it('that the server threw out while idle are not noticed by the next callers', async () => {
    const ids = await Promise.all([1, 2].map(() => call('SELECT CONNECTION_ID() AS id, SLEEP(0.05)')));
    expect(new Set(ids.map(({ rows }) => rows[0]?.['id'])).size).toBe(2);
    for (const { rows } of ids) await control.query(`KILL ${String(rows[0]?.['id'])}`);
    const replies = await Promise.all([1, 2].map(() => call(ALL)));
    expect(replies.map(({ rows }) => rows.length)).toEqual([50, 50]);
  });
});

describe('bytes changed anywhere on the way from MariaDB', () => {
  it('end in rows or in a fault, and in nothing else', async () => {
    const spoiler = await createByteSpoiler(url);
    const outcome = fc.asyncProperty(
      fc.integer({ min: 0, max: 3_500 }),
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
