import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EventEmitter, once } from 'node:events';
import pg from 'pg';
import { pino } from 'pino';
import type { EmbeddedPostgres } from './embedded.ts';
import { startEmbeddedPostgres } from './embedded.ts';
import { migrate } from './migrate.ts';
import { createPool } from './pool.ts';

let server: EmbeddedPostgres;
beforeAll(async () => {
  server = await startEmbeddedPostgres();
});
afterAll(() => server.stop());

const silent = pino({ enabled: false });
const open = (database: string, statementTimeoutMs = 10_000) =>
  createPool({
    url: server.url(database),
    max: 4,
    applicationName: 'jinxin-test',
    statementTimeoutMs,
    log: silent,
  });

describe('pool', () => {
  it('carries the application by its name and ends a statement that takes too long', async () => {
    const pool = open('postgres', 200);
    const { rows } = await pool.query('SHOW application_name');
    expect(rows).toEqual([{ application_name: 'jinxin-test' }]);
    await expect(pool.query('SELECT pg_sleep(20)')).rejects.toMatchObject({ code: '57014' });
    await pool.end();
  });

  it('logs an idle connection that breaks, and connects anew', async () => {
    const logged = new EventEmitter();
    const line = once(logged, 'line') as Promise<[string]>;
    const log = pino({}, { write: (text: string) => void logged.emit('line', text) });
    const pool = createPool({ url: server.url('postgres'), max: 1, applicationName: 'idle', log });
    await breakIdle(pool);
    expect(await line).toEqual([expect.stringContaining('an idle database connection broke')]);
    expect((await pool.query('SELECT 1 AS alive')).rows).toEqual([{ alive: 1 }]);
    await pool.end();
  });
});

describe('migrations', () => {
  const first = { id: '001', sql: 'CREATE TABLE subject (id text PRIMARY KEY)' };
  const second = { id: '002', sql: `INSERT INTO subject VALUES ('a')` };

  it('are each applied once, in order, the new ones when they come', async () => {
    const pool = open(await database('once'));
    await migrate(pool, 'subjects', [first]);
    await migrate(pool, 'subjects', [first, second]);
    await migrate(pool, 'subjects', [first, second]);
    expect((await pool.query('SELECT id FROM subject')).rows).toEqual([{ id: 'a' }]);
    expect((await pool.query('SELECT scope, id FROM jinxin_migration ORDER BY id')).rows).toEqual([
      { scope: 'subjects', id: '001' },
      { scope: 'subjects', id: '002' },
    ]);
    await pool.end();
  });

  it('of one scope do not hide those of another', async () => {
    const pool = open(await database('scopes'));
    await migrate(pool, 'subjects', [first]);
    await migrate(pool, 'consent', [{ id: '001', sql: 'CREATE TABLE consent (id text)' }]);
    expect((await pool.query('SELECT * FROM consent')).rows).toEqual([]);
    await pool.end();
  });

  it('leave nothing when one of them fails, and the connection is not used again', async () => {
    const pool = open(await database('broken'));
    await expect(
      migrate(pool, 'subjects', [first, { id: '002', sql: 'CREATE TABEL x' }]),
    ).rejects.toMatchObject({
      code: '42601',
    });
    expect(pool.totalCount).toBe(0);
    const { rows } = await pool.query(
      `SELECT to_regclass('subject') AS subject, to_regclass('jinxin_migration') AS record`,
    );
    expect(rows).toEqual([{ subject: null, record: null }]);
    await pool.end();
  });

  it('do not race when processes start together', async () => {
    const name = await database('race');
    const pools = Array.from({ length: 6 }, () => open(name));
    await Promise.all(pools.map((pool) => migrate(pool, 'subjects', [first, second])));
    const [pool] = pools;
    expect((await pool?.query('SELECT count(*)::int AS rows FROM subject'))?.rows).toEqual([{ rows: 1 }]);
    await Promise.all(pools.map((each) => each.end()));
  });
});

async function database(name: string): Promise<string> {
  await server.createDatabase(name);
  return name;
}

/** Has the server end the pool's only connection while it is idle. */
async function breakIdle(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const client = new pg.Client(server.url('postgres'));
  await client.connect();
  await client.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid]);
  await client.end();
}
