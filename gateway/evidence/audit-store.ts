/** The audit log in PostgreSQL as a source to verify: one snapshot of all its tables, while writers go on. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { ClientBase, QueryResultRow } from 'pg';
import type { AuditLink } from './audit-chain.ts';
import { GENESIS } from './audit-chain.ts';
import type { AuditSource } from './audit-verify.ts';

export interface AuditSnapshotOptions {
  /** Links at a time; 2,000. */
  readonly batch?: number;
}

/**
 * Lines of the second sink, up to where the file ends now. To be called before the snapshot is taken: what is published is
 * committed, so that every head that this reads is of a link that the snapshot holds. Throws when there is no file.
 */
export async function readPublished(file: string): Promise<AsyncIterable<string>> {
  const { size } = await stat(file);
  // Opened when it is read: lines that come before somebody listens are lost.
  async function* read() {
    if (size > 0) yield* createInterface({ input: createReadStream(file, { end: size - 1 }) });
  }
  return read();
}

/** `client` is in a transaction of its own, repeatable read, from before the first call to after the last. */
export function createAuditStore(
  client: ClientBase,
  { batch = 2_000 }: AuditSnapshotOptions = {},
): AuditSource {
  async function* walk<Row extends QueryResultRow>(name: string, query: string): AsyncIterable<Row[]> {
    // A cursor and not a page after a key: whoever forges rows may forge keys, and none may be passed over.
    await client.query(`DECLARE ${name} NO SCROLL CURSOR FOR ${query}`);
    for (;;) {
      const { rows } = await client.query<Row>(`FETCH ${batch} FROM ${name}`);
      if (rows.length === 0) break;
      yield rows;
    }
    await client.query(`CLOSE ${name}`);
  }

  return {
    async *firstForm() {
      const { rows } = await client.query<{ there: boolean }>(
        `SELECT to_regclass('evidence.audit_log_first_form') IS NOT NULL AS there`,
      );
      if (rows[0]?.there !== true) return;
      const query = `SELECT seq, '' AS id, ${MOMENT} AS at, record, hash FROM evidence.audit_log_first_form ORDER BY seq`;
      for await (const links of walk<LinkRow>('first_form', query)) yield links.map(toLink);
    },
    async *links() {
      const query = `SELECT seq, id, ${EXACT_MOMENT} AS at, record, hash FROM evidence.audit_log ORDER BY seq, at`;
      for await (const links of walk<LinkRow>('links', query)) yield links.map(toLink);
    },
    async *heads() {
      const query = 'SELECT seq, head FROM evidence.audit_head ORDER BY seq, at';
      for await (const heads of walk<{ seq: string; head: string }>('heads', query))
        yield heads.map(({ seq, head }) => ({ seq: Number(seq), head }));
    },
    async entries(after, until) {
      const { rows } = await client.query<EntryRow>(
        `SELECT subject_id, ${EXACT_MOMENT} AS at, seq, id FROM evidence.audit_subject
         WHERE at > $1::timestamptz AND at <= $2::timestamptz`,
        [after?.toISOString() ?? '-infinity', until?.toISOString() ?? 'infinity'],
      );
      return rows.map(({ subject_id: subject, at, seq, id }) => ({
        subject,
        at: toMoment(at),
        seq: Number(seq),
        id,
      }));
    },
    async linksAt(seqs) {
      const { rows } = await client.query<LinkRow>(
        `SELECT seq, ${EXACT_MOMENT} AS at, hash FROM evidence.audit_log WHERE seq = ANY ($1::bigint[])`,
        [seqs],
      );
      return rows.map(toLink);
    },
    async end() {
      const { rows } = await client.query<LinkRow>(
        `SELECT seq, ${EXACT_MOMENT} AS at, hash FROM evidence.audit_end`,
      );
      return rows[0] ? toLink(rows[0]) : GENESIS;
    },
    async closings() {
      const { rows } = await client.query<{ head: string }>(
        'SELECT head FROM evidence.audit_closing ORDER BY seq',
      );
      return rows.map(({ head }) => head);
    },
  };
}

const MOMENT = `date_trunc('milliseconds', at)`;
/** A moment that is finer than we write it was changed by somebody: it is read as none. */
const EXACT_MOMENT = `CASE WHEN at = ${MOMENT} THEN at END`;

interface LinkRow extends QueryResultRow {
  readonly seq: string;
  readonly id: string;
  readonly at: unknown;
  readonly record: string;
  readonly hash: Buffer;
}

interface EntryRow extends QueryResultRow {
  readonly subject_id: string;
  readonly at: unknown;
  readonly seq: string;
  readonly id: string;
}

function toLink({ seq, id, at, record, hash }: LinkRow): AuditLink {
  return { seq: Number(seq), id, at: toMoment(at), record, hash };
}

/** What is no moment of ours (infinity too) becomes one at which nothing can have been written. */
function toMoment(value: unknown): Date {
  return value instanceof Date ? value : new Date(0);
}
