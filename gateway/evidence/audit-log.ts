/**
 * The audit log: one record per answer that discloses a non-public item or denies one, durable before the answer leaves.
 *
 * Records that arrive together are committed together (group commit) and chained by SM3, each over the one before it, so
 * that an edit, a deletion or a change of order is found. The store down or slow means AUDIT_UNAVAILABLE and no data.
 */
import { createHash } from 'node:crypto';
import type { Pool, PoolClient, QueryResultRow } from 'pg';
import type { Logger } from 'pino';
import { createError } from '../../schema/errors.ts';
import type { AuditRecord } from './audit-record.ts';

export interface AuditLog {
  /** Resolves when the record is durable; rejects with AUDIT_UNAVAILABLE. */
  append(record: AuditRecord): Promise<void>;
  close(): Promise<void>;
}

export const AUDIT_MIGRATIONS = [
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
] as const;

interface Waiting {
  readonly record: AuditRecord;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Serialises writers of all processes: a chain has one end. */
const LOCK = 0x4a58_4155;

/** `longestMs`: after that an append is refused, whatever the store or the network to it is doing. */
export function createAuditLog(options: { pool: Pool; log: Logger; longestMs?: number }): AuditLog {
  const { pool, log, longestMs = 5_000 } = options;
  let waiting: Waiting[] = [];
  let committing: Promise<void> | null = null;

  async function commitAll(): Promise<void> {
    while (waiting.length > 0) {
      const group = waiting;
      waiting = [];
      try {
        await commit(
          pool,
          group.map(({ record }) => record),
          longestMs,
        );
        for (const { resolve } of group) resolve();
      } catch (error) {
        log.error({ err: error }, 'the audit log could not be written');
        for (const { reject } of group) reject(createError('AUDIT_UNAVAILABLE'));
      }
    }
    committing = null;
  }

  return {
    append: (record) =>
      new Promise((resolve, reject) => {
        // A record that becomes durable after all is of an answer that nobody got: one too many, never one too few.
        const timer = setTimeout(() => {
          waiting = waiting.filter((one) => one !== entry);
          reject(createError('AUDIT_UNAVAILABLE'));
        }, longestMs);
        const entry: Waiting = {
          record,
          resolve() {
            clearTimeout(timer);
            resolve();
          },
          reject(error) {
            clearTimeout(timer);
            reject(error);
          },
        };
        waiting.push(entry);
        committing ??= commitAll();
      }),
    async close() {
      await committing;
    },
  };
}

async function commit(pool: Pool, records: readonly AuditRecord[], longestMs: number): Promise<void> {
  const until = performance.now() + longestMs;
  const client = await connectWithin(pool, longestMs);
  let broken: Error | undefined;
  // A connection that breaks between two statements says so by an event, which must not end the process.
  const onError = (error: Error) => (broken = error);
  client.on('error', onError);
  const query = <Row extends QueryResultRow>(text: string, values: unknown[] = []) => {
    // The driver's own limit: that of the server is not heard through a network that swallows everything.
    const limited = { text, values, query_timeout: Math.max(1, until - performance.now()) };
    return client.query<Row>(limited);
  };
  try {
    await query('BEGIN');
    await query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
    const last = await query<{ seq: string; hash: Buffer }>(
      'SELECT seq, hash FROM evidence.audit_log ORDER BY seq DESC LIMIT 1',
    );
    let seq = Number(last.rows[0]?.seq ?? 0);
    let hash = last.rows[0]?.hash ?? Buffer.alloc(32);
    const rows = records.map((record) => {
      seq += 1;
      const text = JSON.stringify(record);
      hash = chainHash(hash, seq, text);
      return { seq, at: record.at, text, hash };
    });
    await query(
      'INSERT INTO evidence.audit_log (seq, at, record, hash) SELECT * FROM unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::bytea[])',
      [
        rows.map((row) => row.seq),
        rows.map((row) => row.at),
        rows.map((row) => row.text),
        rows.map((row) => row.hash),
      ],
    );
    await query('COMMIT');
  } catch (error) {
    // The connection is thrown away with its open transaction.
    broken = error instanceof Error ? error : new Error(String(error));
    throw error;
  } finally {
    client.release(broken);
    // What is thrown away may still break; what is kept, the pool listens to.
    if (!broken) client.off('error', onError);
  }
}

async function connectWithin(pool: Pool, milliseconds: number): Promise<PoolClient> {
  const connecting = pool.connect();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error('no connection in time'));
      // Whoever comes too late is thrown away; the pool has its own word on what never comes.
      connecting.then(
        (client) => client.release(true),
        () => undefined,
      );
    }, milliseconds);
  });
  try {
    return await Promise.race([connecting, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** SM3 over the hash before, the position and the text of the record. */
export function chainHash(previous: Buffer, seq: number, text: string): Buffer {
  return createHash('sm3').update(previous).update(String(seq)).update('\0').update(text).digest();
}
