/** What one record costs an answer: milliseconds of an append, with a PostgreSQL and a file that are really on the disk. */
import { chmod, mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { startEmbeddedPostgres } from '../../../adapters/postgres/embedded.ts';
import { migrate } from '../../../adapters/postgres/migrate.ts';
import { createPool } from '../../../adapters/postgres/pool.ts';
import { createAuditLog } from '../../../gateway/evidence/audit-log.ts';
import { AUDIT_MIGRATIONS, makePartitions } from '../../../gateway/evidence/audit-tables.ts';
import { createFileSink } from '../../../gateway/evidence/head-sink.ts';
import { loadAuditSuite } from '../../../schema/signatures/keys.ts';
import { auditRecord } from '../../../tests/kit/audit-record.ts';
import { quantile } from '../../quantile.ts';

const CLIENTS = [1, 16];

/** Medians in milliseconds: what an append adds to an answer, what it does when sixteen come at once, and what the disk takes. */
export async function measureAppend(options: {
  appends: number;
  print: (line: string) => void;
}): Promise<{ aloneMs: number; busyMs: number; diskMs: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'jinxin-append-'));
  const log = pino({ level: 'silent' });
  await mkdir(join(folder, 'postgres'));
  // PostgreSQL does not run as root, and has to get there.
  await chmod(folder, 0o755);
  const postgres = await startEmbeddedPostgres({ directory: join(folder, 'postgres'), durability: 'full' });
  try {
    const pool = createPool({ url: postgres.url('postgres'), max: 3, applicationName: 'append', log });
    await migrate(pool, 'evidence', AUDIT_MIGRATIONS);
    await makePartitions(pool, new Date());
    const sink = createFileSink(join(folder, 'heads.jsonl'));
    const audit = createAuditLog({ pool, suite: loadAuditSuite(undefined, false), sink, log });
    for (let at = 0; at < 20; at++) await audit.append(auditRecord(`warm-${at}`));
    // Beside each append, so that both meet the same machine: what one line on the disk takes, of which an append makes two.
    const lines: number[] = [];
    const plain = await open(join(folder, 'plain.jsonl'), 'a');
    const writeLine = async () => {
      await plain.write(`${'x'.repeat(300)}\n`);
      await plain.datasync();
    };
    const timeOf = async (times: number[], work: () => Promise<unknown>) => {
      const startedAt = performance.now();
      await work();
      times.push(performance.now() - startedAt);
    };
    const medians: number[] = [];
    for (const clients of CLIENTS) {
      const times: number[] = [];
      const work = async (client: number) => {
        for (let at = 0; at < options.appends / clients; at++) {
          const record = { ...auditRecord(`${clients}-${client}-${at}`), subjects: ['O-1', 'O-2'] };
          await timeOf(times, () => audit.append(record));
          if (client === 0) await timeOf(lines, writeLine);
        }
      };
      await Promise.all(Array.from({ length: clients }, (_, client) => work(client)));
      medians.push(quantile(times, 0.5));
      options.print(
        `audit: an append takes p50 ${quantile(times, 0.5).toFixed(2)} ms, p95 ${quantile(times, 0.95).toFixed(2)} ms with ${clients} at once (fsync on, ${times.length} appends)`,
      );
    }
    await plain.close();
    const diskMs = quantile(lines, 0.5);
    options.print(`audit: meanwhile one line with fsync takes this disk p50 ${diskMs.toFixed(2)} ms`);
    await audit.close();
    await pool.end();
    return { aloneMs: medians[0] ?? NaN, busyMs: medians[1] ?? NaN, diskMs };
  } finally {
    await postgres.stop();
    await rm(folder, { recursive: true });
  }
}
