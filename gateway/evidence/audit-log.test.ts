import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import type { Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { migrate } from '../../adapters/postgres/migrate.ts';
import { createPool } from '../../adapters/postgres/pool.ts';
import type { TestDatabases } from '../../tests/kit/postgres.ts';
import { createTestDatabases } from '../../tests/kit/postgres.ts';
import { loadAuditSuite } from '../../schema/signatures/keys.ts';
import { auditRecord as record } from '../../tests/kit/audit-record.ts';
import { verifyAuditAt } from '../../tests/kit/audit.ts';
import type { AuditRecord } from './audit-record.ts';
import { createAuditLog } from './audit-log.ts';
import { AUDIT_MIGRATIONS, makePartitions } from './audit-tables.ts';
import { createFileSink } from './head-sink.ts';

const log = pino({ level: 'silent' });
const suite = loadAuditSuite(undefined, false);

let databases: TestDatabases;
let url: string;
let folder: string;
let heads: string;
let reader: pg.Client;
beforeAll(async () => {
  databases = createTestDatabases();
  url = await databases.url('audit');
  const pool = createPool({ url, max: 1, applicationName: 'test', log });
  await migrate(pool, 'evidence', AUDIT_MIGRATIONS);
  await makePartitions(pool, new Date());
  await pool.end();
  folder = await mkdtemp(join(tmpdir(), 'jinxin-test-'));
  heads = join(folder, 'heads.jsonl');
  reader = new pg.Client({ connectionString: url });
  await reader.connect();
});
afterAll(async () => {
  await reader.end();
  await databases.close();
  await rm(folder, { recursive: true });
});

const openLog = ({ at = url, longestMs = 5_000, sink = createFileSink(heads) } = {}) => {
  const pool = createPool({ url: at, max: 3, applicationName: 'test', statementTimeoutMs: 2_000, log });
  return { pool, audit: createAuditLog({ pool, suite, sink, log, longestMs }) };
};
const operations = async () =>
  (await reader.query<{ record: string }>('SELECT record FROM evidence.audit_log ORDER BY seq')).rows.map(
    ({ record: text }) => (JSON.parse(text) as AuditRecord).operation,
  );

/** A way to the database that can be made to swallow everything, as a network does that lost a route. */
async function createTunnel() {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  let isSwallowing = false;
  const server: Server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
    }
    client.on('data', (data) => isSwallowing || upstream.write(data));
    upstream.on('data', (data) => isSwallowing || client.write(data));
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const tunnelled = new URL(url);
  tunnelled.hostname = '127.0.0.1';
  tunnelled.port = String((server.address() as { port: number }).port);
  return {
    url: tunnelled.href,
    swallow: (yes: boolean) => (isSwallowing = yes),
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

describe('the audit log', () => {
  it('of two processes that write at once is one chain without a gap, and nothing is lost', async () => {
    const processes = [openLog(), openLog()];
    await Promise.all(
      processes.flatMap(({ audit }, of) =>
        Array.from({ length: 100 }, async (_, at) => {
          for (let turn = 0; turn < at % 7; turn++) await new Promise((resolve) => setImmediate(resolve));
          await audit.append(record(`${of}-${at}`));
        }),
      ),
    );
    await Promise.all(processes.map(({ audit, pool }) => audit.close().then(() => pool.end())));
    expect(new Set(await operations()).size).toBe(200);
    expect(await verifyAuditAt(url, heads)).toMatchObject({
      records: 200,
      to: 200,
      breaches: 0,
      unpublished: 0,
    });
  });

  it('that is locked by somebody else gives up within its bound, and works again afterwards', async () => {
    const { audit, pool } = openLog({ longestMs: 300 });
    await reader.query('BEGIN');
    await reader.query('LOCK TABLE evidence.audit_log IN ACCESS EXCLUSIVE MODE');
    await expect(audit.append(record('locked'))).rejects.toMatchObject({
      extensions: { code: 'AUDIT_UNAVAILABLE' },
    });
    await reader.query('ROLLBACK');
    await audit.append(record('free'));
    await audit.close();
    await pool.end();
    expect((await operations()).filter((operation) => operation === 'free')).toHaveLength(1);
  });

  it('behind a network that swallows everything gives up within its bound, and works again afterwards', async () => {
    const tunnel = await createTunnel();
    const { audit, pool } = openLog({ at: tunnel.url, longestMs: 300 });
    await audit.append(record('before'));
    tunnel.swallow(true);
    const answers = await Promise.allSettled([audit.append(record('one')), audit.append(record('two'))]);
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    tunnel.swallow(false);
    await audit.append(record('after'));
    await audit.close();
    await pool.end();
    tunnel.close();
    const kept = await operations();
    expect(kept).toEqual(expect.arrayContaining(['before', 'after']));
    expect(kept).not.toContain('one');
  });

  it('answers nothing while the second sink is full, gone or slow, and works again afterwards', async () => {
    const path = join(folder, 'other.jsonl');
    await symlink('/dev/full', path);
    const { audit, pool } = openLog({ sink: createFileSink(path), longestMs: 400 });
    const refused = { extensions: { code: 'AUDIT_UNAVAILABLE' } };
    await expect(audit.append(record('sink full'))).rejects.toMatchObject(refused);
    await rm(path);
    await mkdir(path);
    await expect(audit.append(record('sink gone'))).rejects.toMatchObject(refused);
    await rm(path, { recursive: true });
    await audit.append(record('sink there'));
    await audit.close();
    await pool.end();
    expect((await readFile(path, 'utf8')).trim().split('\n')).toHaveLength(1);

    const file = createFileSink(heads);
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const slow = openLog({
      sink: { ...file, publish: (head) => held.then(() => file.publish(head)) },
      longestMs: 300,
    });
    await expect(slow.audit.append(record('sink slow'))).rejects.toMatchObject(refused);
    release();
    await slow.audit.append(record('sink quick'));
    await slow.audit.close();
    await slow.pool.end();
    expect(await verifyAuditAt(url, heads)).toMatchObject({ breaches: 0, unpublished: 3 });
  });

  it('indexes each subject of a record once, at the moment of the record, which never goes back', async () => {
    const { audit, pool } = openLog();
    const of = (id: string, subjects: string[]) => audit.append({ ...record(id), subjects });
    await Promise.all([of('two', ['O-a', 'O-b', 'O-a']), of('one', ['O-b']), of('none', [])]);
    await audit.close();
    await pool.end();
    const { rows } = await reader.query<{ subject_id: string; id: string }>(
      `SELECT subject_id, id FROM evidence.audit_subject JOIN evidence.audit_log USING (seq, at, id)
       WHERE subject_id IN ('O-a', 'O-b') ORDER BY subject_id, seq`,
    );
    expect(rows.map(({ subject_id, id }) => `${subject_id} ${id}`)).toEqual([
      'O-a r-two',
      'O-b r-two',
      'O-b r-one',
    ]);
    const back = await reader.query(
      `SELECT seq FROM (SELECT seq, at, lag(at) OVER (ORDER BY seq) AS before FROM evidence.audit_log) AS x WHERE at < before`,
    );
    expect(back.rows).toEqual([]);
  });
});
