import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import pg from 'pg';
import { pino } from 'pino';
import { migrate } from '../../adapters/postgres/migrate.ts';
import { createPool } from '../../adapters/postgres/pool.ts';
import type { TestDatabases } from '../../tests/kit/postgres.ts';
import { createTestDatabases } from '../../tests/kit/postgres.ts';
import type { AuditRecord } from './audit-record.ts';
import { AUDIT_MIGRATIONS, chainHash, createAuditLog } from './audit-log.ts';

const log = pino({ level: 'silent' });
const record = (operation: string): AuditRecord => ({
  id: `r-${operation}`,
  result: 'DISCLOSED',
  decisions: [],
  sources: [],
  breakGlass: [],
  supersedes: null,
  at: '2026-11-23T00:00:00.000Z',
  principal: { kind: 'bank', id: 'bank-a' },
  purpose: 'LOAN_ORIGINATION',
  operation,
  subjects: [],
  consents: [],
  items: ['tax.grade'],
  denials: [],
  catalogue: '1',
  answerHash: 'x',
});

let databases: TestDatabases;
let url: string;
let reader: pg.Client;
beforeAll(async () => {
  databases = createTestDatabases();
  url = await databases.url('audit');
  const pool = createPool({ url, max: 1, applicationName: 'test', log });
  await migrate(pool, 'evidence', AUDIT_MIGRATIONS);
  await pool.end();
  reader = new pg.Client({ connectionString: url });
  await reader.connect();
});
afterAll(async () => {
  await reader.end();
  await databases.close();
});

const openLog = (at = url, longestMs?: number) => {
  const pool = createPool({ url: at, max: 2, applicationName: 'test', statementTimeoutMs: 2_000, log });
  return { pool, audit: createAuditLog({ pool, log, ...(longestMs === undefined ? {} : { longestMs }) }) };
};
const rows = async () =>
  (
    await reader.query<{ seq: string; record: string; hash: Buffer }>(
      'SELECT seq, record, hash FROM evidence.audit_log ORDER BY seq',
    )
  ).rows;

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
    let hash: Buffer = Buffer.alloc(32);
    const kept = await rows();
    kept.forEach(({ seq, record: text, hash: stored }, at) => {
      hash = chainHash(hash, Number(seq), text);
      expect([Number(seq), stored.equals(hash)]).toEqual([at + 1, true]);
    });
    const operations = kept.map(({ record: text }) => (JSON.parse(text) as AuditRecord).operation);
    expect(new Set(operations).size).toBe(200);
  });

  it('that is locked by somebody else gives up within its bound, and works again afterwards', async () => {
    const { audit, pool } = openLog(url, 300);
    await reader.query('BEGIN');
    await reader.query('LOCK TABLE evidence.audit_log IN ACCESS EXCLUSIVE MODE');
    await expect(audit.append(record('locked'))).rejects.toMatchObject({
      extensions: { code: 'AUDIT_UNAVAILABLE' },
    });
    await reader.query('ROLLBACK');
    await audit.append(record('free'));
    await audit.close();
    await pool.end();
    const operations = (await rows()).map(({ record: text }) => (JSON.parse(text) as AuditRecord).operation);
    expect(operations.filter((operation) => operation === 'free')).toHaveLength(1);
  });

  it('behind a network that swallows everything gives up within its bound, and works again afterwards', async () => {
    const tunnel = await createTunnel();
    const { audit, pool } = openLog(tunnel.url, 300);
    await audit.append(record('before'));
    tunnel.swallow(true);
    const answers = await Promise.allSettled([audit.append(record('one')), audit.append(record('two'))]);
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    tunnel.swallow(false);
    await audit.append(record('after'));
    await audit.close();
    await pool.end();
    tunnel.close();
    const operations = (await rows()).map(({ record: text }) => (JSON.parse(text) as AuditRecord).operation);
    expect(operations).toEqual(expect.arrayContaining(['before', 'after']));
    expect(operations).not.toContain('one');
  });
});
