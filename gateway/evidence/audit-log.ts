/**
 * The audit log: one record per answer that discloses a non-public item or denies one, durable before the answer leaves.
 *
 * Records that arrive together are committed together (group commit) and chained by SM3, each over the one before it, so
 * that an edit, a deletion or a change of order is found. The store down or slow means AUDIT_UNAVAILABLE and no data.
 */
import { createHash } from 'node:crypto';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { createError } from '../../schema/errors.ts';

export interface AuditRecord {
  readonly at: string;
  readonly principal: { readonly kind: string; readonly id: string };
  readonly purpose: string;
  readonly operation: string;
  /** SubjectIds; for persons these are sealed, so that the log never holds an ID number. */
  readonly subjects: readonly string[];
  readonly consents: readonly string[];
  readonly items: readonly string[];
  readonly denials: readonly { readonly item: string; readonly reason: string; readonly path: string }[];
  readonly fetches: readonly { readonly subgraph: string; readonly ok: boolean }[];
  readonly catalogue: string;
  readonly answerHash: string;
}

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
  readonly reject: (error: unknown) => void;
}

/** Serialises writers of all processes: a chain has one end. */
const LOCK = 0x4a58_4155;

export function createAuditLog({ pool, log }: { pool: Pool; log: Logger }): AuditLog {
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
        waiting.push({ record, resolve, reject });
        committing ??= commitAll();
      }),
    async close() {
      await committing;
    },
  };
}

async function commit(pool: Pool, records: readonly AuditRecord[]): Promise<void> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('BEGIN');
    await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
    const last = await client.query<{ seq: string; hash: Buffer }>(
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
    await client.query(
      'INSERT INTO evidence.audit_log (seq, at, record, hash) SELECT * FROM unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::bytea[])',
      [
        rows.map((row) => row.seq),
        rows.map((row) => row.at),
        rows.map((row) => row.text),
        rows.map((row) => row.hash),
      ],
    );
    await client.query('COMMIT');
  } catch (error) {
    // The connection is thrown away with its open transaction.
    broken = error instanceof Error ? error : new Error(String(error));
    throw error;
  } finally {
    client.release(broken);
  }
}

/** SM3 over the hash before, the position and the text of the record. */
export function chainHash(previous: Buffer, seq: number, text: string): Buffer {
  return createHash('sm3').update(previous).update(String(seq)).update('\0').update(text).digest();
}
