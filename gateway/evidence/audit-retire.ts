/**
 * Records that were kept for five years may go. They go a month at a time, oldest first, under a closing head: signed, and
 * published, so that the rest of the log is verified from there, and nobody can shorten it at its beginning without the key.
 * What is retired is detached, not deleted: it lies in the schema evidence_retired until somebody archives it.
 */
import type { Pool, PoolClient } from 'pg';
import type { Signatures } from '../../schema/signatures/suite.ts';
import { signHead, toHeadLine } from './audit-head.ts';
import { inTransaction, monthOf, PARTITIONED } from './audit-tables.ts';
import type { HeadSink } from './head-sink.ts';

/** At the least (征信业管理条例 art. 16 ends adverse data after five years; evidence of their use outlives them). */
export const RETENTION_YEARS = 5;

export class RetentionError extends Error {
  override readonly name = 'RetentionError';
}

export interface Retired {
  /** "2021_11" */
  readonly month: string;
  /** Last link of the month; null when it held none. */
  readonly seq: number | null;
}

/**
 * Retires the months that ended five years before `now`, or those up to `through` ("2021-11"). Throws RetentionError when
 * that month is younger. The caller has verified the log: to close one that does not hold would be to hide that.
 */
export async function retireAudit(options: {
  pool: Pool;
  suite: Signatures;
  sink: HeadSink;
  now: Date;
  through?: string;
}): Promise<readonly Retired[]> {
  const { pool, suite, sink, now, through } = options;
  const limit = monthBefore(now);
  const wanted = through?.replace('-', '_') ?? limit;
  if (!/^\d{4}_(0[1-9]|1[0-2])$/.test(wanted))
    throw new RetentionError(`${through} is no month, such as 2021-11`);
  if (wanted > limit)
    throw new RetentionError(
      `${wanted.replace('_', '-')} is kept: only what is older than ${RETENTION_YEARS} years may go, up to ${limit.replace('_', '-')}`,
    );
  const retired: Retired[] = [];
  for (const month of await monthsOf(pool)) {
    if (month > wanted) break;
    retired.push(await inTransaction(pool, (client) => retireMonth(client, month, suite, sink), 60_000));
  }
  return retired;
}

async function retireMonth(
  client: PoolClient,
  month: string,
  suite: Signatures,
  sink: HeadSink,
): Promise<Retired> {
  // Writers have to wait for the detaching anyway.
  await client.query(
    'LOCK TABLE evidence.audit_log, evidence.audit_subject, evidence.audit_head IN ACCESS EXCLUSIVE MODE',
  );
  const { rows } = await client.query<{ seq: string; at: Date; hash: Buffer; earlier: boolean }>(
    `SELECT seq, at, hash, EXISTS (
       SELECT FROM evidence.audit_log_rest WHERE seq < last.seq
     ) AS earlier FROM evidence.audit_log_${month} AS last ORDER BY seq DESC LIMIT 1`,
  );
  const last = rows[0];
  if (last?.earlier)
    throw new RetentionError(
      `records from before the end of ${month} lie in evidence.audit_log_rest: nothing was retired`,
    );
  if (last) {
    const head = await signHead(suite, 'AUDIT_CLOSING', { ...last, seq: Number(last.seq) });
    // In the sink first: a closing head of what was not retired after all is only one head more.
    await sink.publish(head);
    await client.query('INSERT INTO evidence.audit_closing (seq, head, partition) VALUES ($1, $2, $3)', [
      head.seq,
      toHeadLine(head),
      month,
    ]);
  }
  for (const table of PARTITIONED)
    await client.query(
      `ALTER TABLE evidence.${table} DETACH PARTITION evidence.${table}_${month};
       ALTER TABLE evidence.${table}_${month} SET SCHEMA evidence_retired`,
    );
  return { month, seq: last ? Number(last.seq) : null };
}

/** The newest month all of which is older than the retention: that before the month in which it ends. */
function monthBefore(now: Date): string {
  const end = new Date(now);
  end.setUTCFullYear(end.getUTCFullYear() - RETENTION_YEARS);
  return monthOf(end, -1).name;
}

/** Months that have a partition of the log, oldest first. */
async function monthsOf(pool: Pool): Promise<readonly string[]> {
  const { rows } = await pool.query<{ month: string }>(
    `SELECT substring(child.relname FROM '\\d{4}_\\d{2}$') AS month
     FROM pg_inherits JOIN pg_class AS child ON child.oid = inhrelid
     WHERE inhparent = 'evidence.audit_log'::regclass AND child.relname ~ '_\\d{4}_\\d{2}$' ORDER BY 1`,
  );
  return rows.map(({ month }) => month);
}
