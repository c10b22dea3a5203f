/** The tables of the audit log with the columns that the gateway gives them, and records to put into them. */
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { AuditRecord } from '../../gateway/evidence/audit-record.ts';

export async function createEvidenceTables(client: pg.Client): Promise<void> {
  await client.query(`
    CREATE SCHEMA IF NOT EXISTS evidence;
    CREATE TABLE evidence.audit_log (
      seq bigint NOT NULL, at timestamptz NOT NULL, id text NOT NULL, record text NOT NULL, hash bytea NOT NULL,
      PRIMARY KEY (seq, at)) PARTITION BY RANGE (at);
    CREATE TABLE evidence.audit_log_rest PARTITION OF evidence.audit_log DEFAULT;
    CREATE TABLE evidence.audit_subject (
      subject_id text NOT NULL, at timestamptz NOT NULL, seq bigint NOT NULL, id text NOT NULL,
      PRIMARY KEY (subject_id, at, seq)) PARTITION BY RANGE (at);
    CREATE TABLE evidence.audit_subject_rest PARTITION OF evidence.audit_subject DEFAULT;`);
}

export function createRecord(change: Partial<AuditRecord> = {}): AuditRecord {
  return {
    id: randomUUID(),
    at: new Date().toISOString(),
    principal: { kind: 'bank', id: 'bank-a' },
    purpose: 'LOAN_ORIGINATION',
    operation: 'operation',
    result: 'DISCLOSED',
    subjects: [],
    consents: [],
    items: ['tax.grade'],
    decisions: [],
    denials: [],
    sources: [],
    breakGlass: [],
    supersedes: null,
    catalogue: '2026.1',
    answerHash: 'sm3',
    ...change,
  };
}

/** Appends records in their order, as the gateway does: the record and one row for each of its subjects, together. */
export async function appendRecords(client: pg.Client, records: readonly AuditRecord[]): Promise<void> {
  const { rows } = await client.query<{ last: string }>(
    'SELECT coalesce(max(seq), 0)::text AS last FROM evidence.audit_log',
  );
  let seq = Number(rows[0]?.last ?? 0);
  for (const record of records) {
    seq += 1;
    await client.query(
      `WITH logged AS (INSERT INTO evidence.audit_log VALUES ($1, $2, $3, $4, '\\x00'))
       INSERT INTO evidence.audit_subject SELECT unnest($5::text[]), $2, $1, $3`,
      [seq, record.at, record.id, JSON.stringify(record), record.subjects],
    );
  }
}
