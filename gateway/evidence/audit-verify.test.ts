import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { pino } from 'pino';
import { migrate } from '../../adapters/postgres/migrate.ts';
import { createPool } from '../../adapters/postgres/pool.ts';
import { loadAuditSuite } from '../../schema/signatures/keys.ts';
import { auditRecord } from '../../tests/kit/audit-record.ts';
import { verifyAuditAt } from '../../tests/kit/audit.ts';
import type { TestDatabases } from '../../tests/kit/postgres.ts';
import { createTestDatabases } from '../../tests/kit/postgres.ts';
import type { ChainEnd } from './audit-chain.ts';
import { chainOn, firstFormHash, GENESIS } from './audit-chain.ts';
import { signHead, toHeadLine } from './audit-head.ts';
import { createAuditLog } from './audit-log.ts';
import { retireAudit } from './audit-retire.ts';
import { AUDIT_MIGRATIONS, makePartitions, monthOf } from './audit-tables.ts';
import { createFileSink } from './head-sink.ts';

const log = pino({ level: 'silent' });
const suite = loadAuditSuite(undefined, false);

let databases: TestDatabases;
let folder: string;
beforeAll(async () => {
  databases = createTestDatabases();
  folder = await mkdtemp(join(tmpdir(), 'jinxin-test-'));
});
afterAll(async () => {
  await databases.close();
  await rm(folder, { recursive: true });
});

/** A log of its own, with the records given; `before` has the database to itself first. */
async function createLog(name: string, ids: readonly string[], before?: (pool: pg.Pool) => Promise<void>) {
  const url = await databases.url(name);
  const heads = join(folder, `${name}.jsonl`);
  const pool = createPool({ url, max: 3, applicationName: 'test', log });
  await before?.(pool);
  await migrate(pool, 'evidence', AUDIT_MIGRATIONS);
  await makePartitions(pool, new Date());
  const append = async (records: readonly string[]) => {
    const audit = createAuditLog({ pool, suite, sink: createFileSink(heads), log });
    for (const id of records) await audit.append({ ...auditRecord(id), subjects: [`O-${id}`] });
    await audit.close();
  };
  await append(ids);
  return { url, heads, pool, append, verify: () => verifyAuditAt(url, heads) };
}

function run(script: string, args: readonly string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', script, ...args], (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, output: stdout + stderr }),
    );
  });
}

describe('npm run audit:verify', () => {
  it('says that a log is whole, where one was changed, and when it could not find out', async () => {
    const { url, heads, pool } = await createLog('command', ['a', 'b', 'c']);
    const verify = () => run('scripts/audit-verify.ts', ['--url', url, '--heads', heads]);
    expect(await verify()).toMatchObject({ code: 0, output: expect.stringContaining('whole and unchanged') });
    await pool.query(
      `UPDATE evidence.audit_log SET record = replace(record, 'bank-a', 'bank-b') WHERE seq = 2`,
    );
    expect(await verify()).toMatchObject({ code: 1, output: expect.stringContaining('EDITED 2') });
    expect(await run('scripts/audit-verify.ts', ['--url', url, '--heads', '/nowhere'])).toMatchObject({
      code: 2,
      output: expect.stringContaining('Could not be verified'),
    });
    await pool.end();
  }, 60_000);
});

describe('the second sink', () => {
  it('tells that the end of the log was cut off, which the store alone cannot', async () => {
    const { pool, heads, verify } = await createLog('cut', ['a', 'b', 'c']);
    for (const table of ['audit_log', 'audit_subject', 'audit_head'])
      await pool.query(`DELETE FROM evidence.${table} WHERE seq = 3`);
    await pool.query(`UPDATE evidence.audit_end SET (seq, at, hash) = (
      SELECT seq, at, hash FROM evidence.audit_log WHERE seq = 2)`);
    const { breaches, findings } = await verify();
    expect([breaches, findings[0]?.kind]).toEqual([1, 'CUT']);
    await writeFile(heads, '');
    expect((await verify()).findings.map(({ kind }) => kind)).toEqual(['UNPUBLISHED']);
    await pool.end();
  });

  it('may hold a torn line, behind which the next head begins on its own', async () => {
    const { pool, heads, append, verify } = await createLog('torn', ['a']);
    await appendFile(heads, (await readFile(heads, 'utf8')).slice(0, 90));
    await append(['b']);
    expect(await verify()).toMatchObject({ breaches: 0, torn: 1, publishedHeads: 2, unpublished: 0 });
    await pool.end();
  });
});

describe('a log of the first form', () => {
  it('stays as it was written, and the new chain goes on from its end', async () => {
    let hash: Buffer = Buffer.alloc(32);
    const { pool, verify } = await createLog('first-form', ['a', 'b'], async (pool) => {
      await migrate(pool, 'evidence', AUDIT_MIGRATIONS.slice(0, 1));
      for (const seq of [1, 2, 3]) {
        hash = firstFormHash(hash, seq, `{"old":${seq}}`);
        await pool.query('INSERT INTO evidence.audit_log VALUES ($1, now(), $2, $3)', [
          seq,
          `{"old":${seq}}`,
          hash,
        ]);
      }
    });
    expect(await verify()).toMatchObject({ breaches: 0, from: 3, to: 5, records: 2 });
    await pool.query(`UPDATE evidence.audit_log_first_form SET record = '{}' WHERE seq = 2`);
    expect((await verify()).findings[0]).toMatchObject({ kind: 'EDITED', seq: 2 });
    await pool.end();
  });
});

describe('partitions', () => {
  it('are made for this month and the next, and take in what had to go to the default one', async () => {
    const { pool, verify, append } = await createLog('partitions', ['a']);
    const now = new Date();
    const { name } = monthOf(now);
    const count = async (table: string) =>
      Number((await pool.query<{ n: string }>(`SELECT count(*) AS n FROM evidence.${table}`)).rows[0]?.n);
    for (const table of ['audit_log', 'audit_subject', 'audit_head'])
      await pool.query(`ALTER TABLE evidence.${table} DETACH PARTITION evidence.${table}_${name};
        INSERT INTO evidence.${table} SELECT * FROM evidence.${table}_${name};
        DROP TABLE evidence.${table}_${name}`);
    expect([await count('audit_log_rest'), await count(`audit_log_${monthOf(now, 1).name}`)]).toEqual([1, 0]);
    await append(['b']);
    await Promise.all([makePartitions(pool, now), makePartitions(pool, now)]);
    expect([await count('audit_log_rest'), await count(`audit_log_${name}`)]).toEqual([0, 2]);
    expect((await verify()).breaches).toBe(0);
    await pool.end();
  });
});

describe('what was kept for five years', () => {
  const NOW = new Date('2026-11-24T00:00:00Z');

  /** Three records of March and April 2019, as they would have been written then. */
  async function writeHistory(pool: pg.Pool, heads: string): Promise<void> {
    await migrate(pool, 'evidence', AUDIT_MIGRATIONS);
    await makePartitions(pool, new Date('2019-03-15T00:00:00Z'));
    let end: ChainEnd = GENESIS;
    for (const moment of ['2019-03-20T00:00:00Z', '2019-03-21T00:00:00Z', '2019-04-02T00:00:00Z']) {
      const record = { ...auditRecord(moment), subjects: ['O-old'] };
      const [link] = chainOn(end, new Date(moment), [{ id: record.id, record: JSON.stringify(record) }]);
      if (!link) throw new Error('no link');
      const head = await signHead(suite, 'AUDIT_HEAD', link);
      const { seq, at, id, hash } = link;
      await pool.query('INSERT INTO evidence.audit_log VALUES ($1, $2, $3, $4, $5)', [
        seq,
        at,
        id,
        link.record,
        hash,
      ]);
      await pool.query('INSERT INTO evidence.audit_subject VALUES ($1, $2, $3, $4)', ['O-old', at, seq, id]);
      await pool.query('INSERT INTO evidence.audit_head VALUES ($1, $2, $3)', [seq, at, toHeadLine(head)]);
      await pool.query('UPDATE evidence.audit_end SET seq = $1, at = $2, hash = $3', [seq, at, hash]);
      await appendFile(heads, `${toHeadLine(head)}\n`);
      end = link;
    }
  }

  it('is detached under a signed closing head, from which the rest is verified', async () => {
    const heads = join(folder, 'retire.jsonl');
    const { pool, verify, append } = await createLog('retire', ['now'], (pool) => writeHistory(pool, heads));
    expect(await verify()).toMatchObject({ breaches: 0, from: 0, to: 4 });
    const sink = createFileSink(heads);
    const retire = (through?: string) =>
      retireAudit({ pool, suite, sink, now: NOW, ...(through ? { through } : {}) });
    await expect(retire('2021-11')).rejects.toThrow('2021-11 is kept');
    await expect(retire('soon')).rejects.toThrow('no month');
    expect(await retire('2019-03')).toEqual([{ month: '2019_03', seq: 2 }]);
    expect(await verify()).toMatchObject({ breaches: 0, from: 2, to: 4, records: 2 });
    expect(await retire()).toEqual([{ month: '2019_04', seq: 3 }]);
    expect(await retire()).toEqual([]);
    await append(['later']);
    expect(await verify()).toMatchObject({ breaches: 0, from: 3, to: 5, records: 2, unpublished: 0 });
    const { rows } = await pool.query('SELECT seq FROM evidence_retired.audit_log_2019_03 ORDER BY seq');
    expect(rows).toEqual([{ seq: '1' }, { seq: '2' }]);
    // Without its closing head the log has lost its beginning.
    await pool.query('DELETE FROM evidence.audit_closing WHERE seq = 3');
    expect((await verify()).breaches).toBeGreaterThan(0);
    await sink.close();
    await pool.end();
  });
});
