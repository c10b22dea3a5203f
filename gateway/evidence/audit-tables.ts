/**
 * The tables of the audit log: the log, the index by which a subject reads it, and the signed heads, each in one partition a
 * month, so that what has been kept long enough can be detached as a whole.
 *
 * `audit_end` is where the chain stands; its one row is what writers of all processes queue for.
 */
import type { Pool, PoolClient } from 'pg';
import type { Migration } from '../../adapters/postgres/migrate.ts';

export const PARTITIONED = ['audit_log', 'audit_subject', 'audit_head'] as const;

export const AUDIT_MIGRATIONS: readonly Migration[] = [
  {
    id: '001-audit-log',
    sql: `CREATE SCHEMA IF NOT EXISTS evidence;
          CREATE TABLE evidence.audit_log (
            seq bigint PRIMARY KEY,
            at timestamptz NOT NULL,
            record text NOT NULL,
            hash bytea NOT NULL
          )`,
  },
  {
    // What the first form holds was hashed without its moment and has no ids: it is not rewritten, which would be to make
    // evidence anew. It stays as it is under another name, and the new chain goes on from its end.
    id: '002-partitions-and-heads',
    sql: `ALTER TABLE evidence.audit_log RENAME TO audit_log_first_form;
          ALTER TABLE evidence.audit_log_first_form RENAME CONSTRAINT audit_log_pkey TO audit_log_first_form_pkey;
          CREATE TABLE evidence.audit_log (
            seq bigint NOT NULL,
            at timestamptz NOT NULL,
            id text NOT NULL,
            record text NOT NULL,
            hash bytea NOT NULL,
            PRIMARY KEY (seq, at)
          ) PARTITION BY RANGE (at);
          CREATE TABLE evidence.audit_subject (
            subject_id text NOT NULL,
            at timestamptz NOT NULL,
            seq bigint NOT NULL,
            id text NOT NULL,
            PRIMARY KEY (subject_id, at, seq)
          ) PARTITION BY RANGE (at);
          CREATE INDEX audit_subject_at ON evidence.audit_subject USING brin (at);
          CREATE TABLE evidence.audit_head (
            seq bigint NOT NULL,
            at timestamptz NOT NULL,
            head text NOT NULL,
            PRIMARY KEY (seq, at)
          ) PARTITION BY RANGE (at);
          CREATE TABLE evidence.audit_log_rest PARTITION OF evidence.audit_log DEFAULT;
          CREATE TABLE evidence.audit_subject_rest PARTITION OF evidence.audit_subject DEFAULT;
          CREATE TABLE evidence.audit_head_rest PARTITION OF evidence.audit_head DEFAULT;
          CREATE TABLE evidence.audit_end (
            only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
            seq bigint NOT NULL,
            at timestamptz NOT NULL,
            hash bytea NOT NULL
          );
          INSERT INTO evidence.audit_end (seq, at, hash)
            SELECT seq, date_trunc('milliseconds', at), hash FROM evidence.audit_log_first_form
            UNION ALL SELECT 0, 'epoch', decode(repeat('00', 32), 'hex')
            ORDER BY seq DESC LIMIT 1;
          CREATE TABLE evidence.audit_closing (
            seq bigint PRIMARY KEY,
            head text NOT NULL,
            partition text NOT NULL,
            retired_at timestamptz NOT NULL DEFAULT now()
          );
          CREATE SCHEMA evidence_retired`,
  },
];

/** A calendar month in Beijing, which is what a partition holds. */
export interface Month {
  /** "2026_11" */
  readonly name: string;
  readonly from: Date;
  /** Exclusive. */
  readonly until: Date;
}

/** The zone has had no other offset since 1992. */
const BEIJING_MS = 8 * 3_600_000;

/** The month in which a moment lies, or the one so many months later. */
export function monthOf(moment: Date, later = 0): Month {
  const local = new Date(moment.getTime() + BEIJING_MS);
  const start = (offset: number) =>
    new Date(Date.UTC(local.getUTCFullYear(), local.getUTCMonth() + offset) - BEIJING_MS);
  const from = start(later);
  const name = new Date(from.getTime() + BEIJING_MS).toISOString().slice(0, 7).replace('-', '_');
  return { name, from, until: start(later + 1) };
}

const LOCK = `SELECT pg_advisory_xact_lock(hashtext('jinxin audit partitions'))`;

/**
 * Makes the partitions of this month and the next where they are missing, and moves into them what meanwhile had to go to
 * the default ones. Processes may do so at once. Waits for no lock longer than two seconds.
 */
export async function makePartitions(pool: Pool, now: Date): Promise<void> {
  for (const month of [monthOf(now), monthOf(now, 1)])
    for (const table of PARTITIONED)
      await inTransaction(pool, async (client) => {
        const partition = `${table}_${month.name}`;
        if (await isThere(client, partition)) return;
        await client.query(LOCK);
        if (await isThere(client, partition)) return;
        const [from, until] = [month.from.toISOString(), month.until.toISOString()];
        // Made apart and then attached, which writers to other partitions do not have to wait for.
        await client.query(
          `CREATE TABLE evidence.${partition} (LIKE evidence.${table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
           LOCK TABLE evidence.${table}_rest IN ACCESS EXCLUSIVE MODE;
           WITH moved AS (
             DELETE FROM evidence.${table}_rest WHERE at >= '${from}' AND at < '${until}' RETURNING *
           ) INSERT INTO evidence.${partition} SELECT * FROM moved;
           ALTER TABLE evidence.${table} ATTACH PARTITION evidence.${partition} FOR VALUES FROM ('${from}') TO ('${until}')`,
        );
      });
}

/** Asked of the catalogue's table: to_regclass would go on saying what it said before we waited for the lock. */
async function isThere(client: PoolClient, partition: string): Promise<boolean> {
  const { rowCount } = await client.query(
    `SELECT FROM pg_class WHERE relname = $1 AND relnamespace = 'evidence'::regnamespace`,
    [partition],
  );
  return rowCount === 1;
}

/**
 * Runs `work` in one transaction of at most so many milliseconds; a connection on which something failed, or that fell
 * silent, is thrown away with it.
 */
export async function inTransaction<T>(
  pool: Pool,
  work: (client: PoolClient) => Promise<T>,
  longestMs = 5_000,
): Promise<T> {
  const client = await pool.connect();
  let isReleased = false;
  const release = (broken?: Error) => {
    if (!isReleased) client.release(broken);
    isReleased = true;
  };
  const onError = (error: Error) => release(error);
  client.on('error', onError);
  const timer = setTimeout(() => release(new Error('the transaction took too long')), longestMs);
  try {
    await client.query(`BEGIN; SET LOCAL lock_timeout = '2s'`);
    const result = await work(client);
    await client.query('COMMIT');
    client.off('error', onError);
    release();
    return result;
  } catch (error) {
    release(error instanceof Error ? error : new Error(String(error)));
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
