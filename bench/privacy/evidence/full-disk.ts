/**
 * Disks that run full: that of the published heads, and that of PostgreSQL. Each is a small disk in memory, filled up by a
 * ballast. While it is full nobody may get an answer; when there is room again, answers come without a restart.
 */
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { pino } from 'pino';
import type { EmbeddedPostgres } from '../../../adapters/postgres/embedded.ts';
import { startEmbeddedPostgres } from '../../../adapters/postgres/embedded.ts';
import { migrate } from '../../../adapters/postgres/migrate.ts';
import { createPool } from '../../../adapters/postgres/pool.ts';
import { createAuditLog } from '../../../gateway/evidence/audit-log.ts';
import { AUDIT_MIGRATIONS, makePartitions } from '../../../gateway/evidence/audit-tables.ts';
import { createFileSink } from '../../../gateway/evidence/head-sink.ts';
import { loadAuditSuite } from '../../../schema/signatures/keys.ts';
import { auditRecord } from '../../../tests/kit/audit-record.ts';
import { verifyAuditAt } from '../../../tests/kit/audit.ts';
import { randomFor } from '../../../simulators/population/random.ts';

const run = promisify(execFile);
const log = pino({ level: 'silent' });

interface Disk {
  readonly path: string;
  /** Takes all room that is left; the returned function gives it back. */
  fill(): Promise<() => Promise<void>>;
  remove(): Promise<void>;
}

export interface FullDisks {
  /** How many disks were full: 0 where no disk may be mounted. */
  readonly disks: number;
  readonly answersWhileFull: number;
  /** Answers without a record, and breaches that were found afterwards. */
  readonly unlogged: number;
}

export async function runFullDisks(options: {
  seed: string;
  print: (line: string) => void;
}): Promise<FullDisks> {
  const { seed, print } = options;
  const sum = { disks: 0, answersWhileFull: 0, unlogged: 0 };
  for (const [name, megabytes] of [
    ['heads', 1],
    ['postgres', 160],
  ] as const) {
    const disk = await mountDisk(megabytes);
    if (disk === null) {
      print(`full disk of ${name}: NOT RUN, no disk may be mounted here (it takes root)`);
      continue;
    }
    try {
      const result = await runFullDisk(name, disk, seed);
      print(
        `full disk of ${name}: ${result.before} answers before, ${result.refused} questions refused and ${result.answersWhileFull} answered while full, ${result.after} answers afterwards; ${result.unlogged} without a record`,
      );
      sum.disks += 1;
      sum.answersWhileFull += result.answersWhileFull;
      sum.unlogged += result.unlogged;
    } finally {
      await disk.remove();
    }
  }
  return sum;
}

async function runFullDisk(name: 'heads' | 'postgres', disk: Disk, seed: string) {
  const folder = await mkdtemp(join(tmpdir(), 'jinxin-full-'));
  let postgres: EmbeddedPostgres | null = null;
  try {
    postgres = await startEmbeddedPostgres(
      name === 'postgres' ? { directory: join(disk.path, 'postgres'), durability: 'full' } : {},
    );
    const heads = join(name === 'heads' ? disk.path : folder, 'heads.jsonl');
    return await askAround(disk, await postgres.createDatabase('audit'), heads, seed);
  } finally {
    await postgres?.stop();
    await rm(folder, { recursive: true });
  }
}

async function askAround(disk: Disk, url: string, heads: string, seed: string) {
  const pool = createPool({ url, max: 3, applicationName: 'full-disk', statementTimeoutMs: 2_000, log });
  await migrate(pool, 'evidence', AUDIT_MIGRATIONS);
  await makePartitions(pool, new Date());
  const suite = loadAuditSuite(undefined, false);
  const audit = createAuditLog({ pool, suite, sink: createFileSink(heads), log, longestMs: 2_000 });
  const random = randomFor(seed, 'full disk', 'subjects');
  const answered: string[] = [];
  /** A record of several kilobytes that cannot be packed, so that what room the tables still have is soon used up. */
  const ask = async (id: string) => {
    const number = () => random.int(0, 2 ** 32 - 1);
    const subjects = Array.from(
      { length: 100 },
      () => `O-${[number(), number(), number(), number()].join('-')}`,
    );
    const isAnswered = await audit.append({ ...auditRecord(id), id, subjects }).then(
      () => true,
      () => false,
    );
    if (isAnswered) answered.push(id);
    return isAnswered;
  };
  for (let at = 0; at < 20; at++) await ask(`before-${at}`);
  const before = answered.length;
  const empty = await disk.fill();
  // Room in pages that are there already is still used, rightly; full is what has refused ten times in a row.
  for (let row = 0, at = 0; row < 10 && at < 5_000; at++) row = (await ask(`filling-${at}`)) ? 0 : row + 1;
  const whileFilling = answered.length;
  for (let at = 0; at < 20; at++) await ask(`full-${at}`);
  const answersWhileFull = answered.length - whileFilling;
  await empty();
  for (let at = 0; at < 100 && !(await ask(`again-${at}`)); at++)
    await new Promise((resolve) => setTimeout(resolve, 50));
  for (let at = 0; at < 20; at++) await ask(`after-${at}`);
  const after = answered.length - whileFilling - answersWhileFull;
  await audit.close();
  await pool.end();
  const { breaches } = await verifyAuditAt(url, heads);
  const missing = await countMissing(url, answered);
  if (after < 20) throw new Error(`only ${after} answers after there was room again`);
  return { before, refused: 20 - answersWhileFull, answersWhileFull, after, unlogged: missing + breaches };
}

async function countMissing(url: string, answered: readonly string[]): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ id: string }>('SELECT id FROM evidence.audit_log');
  await client.end();
  const logged = new Set(rows.map(({ id }) => id));
  return answered.filter((id) => !logged.has(id)).length;
}

/** A disk of its own in memory; null where this user may mount none. */
async function mountDisk(megabytes: number): Promise<Disk | null> {
  const path = await mkdtemp(join(tmpdir(), 'jinxin-disk-'));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=755`, 'tmpfs', path]);
  } catch {
    await rm(path, { recursive: true });
    return null;
  }
  await chmod(path, 0o755);
  await mkdir(join(path, 'postgres'));
  return {
    path,
    async fill() {
      const file = join(path, 'ballast');
      const handle = await open(file, 'w');
      // Ever smaller pieces, down to the last page.
      for (let size = 1024 * 1024; size >= 512; size /= 2)
        while (
          await handle.write(Buffer.alloc(size)).then(
            ({ bytesWritten }) => bytesWritten === size,
            () => false,
          )
        );
      await handle.close();
      return () => rm(file);
    },
    async remove() {
      await run('umount', ['--lazy', path]);
      await rm(path, { recursive: true });
    },
  };
}
