/**
 * The audit log as the gateway keeps it in the platform's PostgreSQL → records. The only file that knows its columns: it
 * reads `evidence.audit_log` by way of `evidence.audit_subject`, both in partitions by time, and writes neither.
 */
import { z } from 'zod';
import type { Adapter, CallContext } from '../../adapters/adapter.ts';
import { askRows } from '../../adapters/postgres/rows.ts';
import type { Statement } from '../../adapters/postgres/store.ts';
import type { Purpose } from '../../schema/purpose.ts';
import { PURPOSES } from '../../schema/purpose.ts';
import type { AccessRecord } from './record.ts';
import { recordSchema } from './record.ts';

export const SYSTEM = '审计日志';

/** A record in its place: newest first is by `at`, and within the same millisecond by `seq`. */
export interface LoggedRecord {
  readonly record: AccessRecord;
  /** As PostgreSQL counts; a bigint in text. */
  readonly seq: string;
  /** ISO 8601. */
  readonly at: string;
  /** Link of the chain, hex. */
  readonly hash: string;
  /** ISO 8601: until when an auditor has extended its delay; null when nobody has. */
  readonly extendedUntil: string | null;
}

export interface Position {
  readonly at: string;
  readonly seq: string;
}

export interface OwnQuestion {
  readonly subject: string;
  readonly after: Position | null;
  readonly limit: number;
  readonly result: AccessRecord['result'] | null;
  /** Leaves out what this account itself asked; null leaves nothing out. */
  readonly withoutAccount: string | null;
}

export interface AuditFilter {
  readonly subject?: string | null;
  readonly consumer?: string | null;
  readonly purpose?: Purpose | null;
  readonly from?: string | null;
  readonly until?: string | null;
}

export interface AccessLog {
  /** What a subject may read now, newest first. */
  own(question: OwnQuestion, context: CallContext): Promise<readonly LoggedRecord[]>;
  /** Where an entry stands that this subject may read now; null when there is none. */
  positionOf(
    subject: string,
    entry: { readonly at: string; readonly id: string },
    context: CallContext,
  ): Promise<Position | null>;
  all(
    question: { filter: AuditFilter; after: Pick<Position, 'seq'> | null; limit: number },
    context: CallContext,
  ): Promise<readonly LoggedRecord[]>;
  /** Records from `from` until `until` (ISO 8601, exclusive), by purpose and result. */
  count(from: string, until: string, context: CallContext): Promise<readonly AccessTally[]>;
  one(entry: { at: string; id: string }, context: CallContext): Promise<LoggedRecord | null>;
  extend(extension: Extension, context: CallContext): Promise<void>;
}

export interface AccessTally {
  readonly purpose: Purpose;
  readonly result: AccessRecord['result'];
  readonly count: number;
}

/** Why the subject reads of a record later still; times in ISO 8601. */
export interface Extension {
  readonly record: string;
  readonly until: string;
  readonly reason: string;
  readonly extendedBy: string;
  readonly extendedAt: string;
}

const moment = z.date().transform((date) => date.toISOString());
const rowSchema = z.object({
  seq: z.coerce.string(),
  at: moment,
  record: z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(recordSchema),
  hash: z.instanceof(Buffer).transform((bytes) => bytes.toString('hex')),
  extended_until: moment.nullable(),
});
const tallySchema = z.object({
  purpose: z.enum(PURPOSES),
  result: recordSchema.shape.result,
  count: z.coerce.number(),
});
const positionSchema = z.object({ at: moment, seq: z.coerce.string() });

/** A record that corrects another follows within the time of one request, which is seconds. */
const CORRECTED_WITHIN = `interval '5 minutes'`;

const EXTENDED = `(SELECT max(until) FROM access_log.extension WHERE record_id = s.id)`;
/** $2 and $3: purposes and their delays in seconds; $4: now. */
const IS_RELEASED = `s.at + make_interval(secs => coalesce(
    (SELECT seconds FROM unnest($2::text[], $3::float8[]) AS delay(purpose, seconds)
     WHERE purpose = l.record::json ->> 'purpose'), 0)) <= $4::timestamptz
  AND coalesce(${EXTENDED} <= $4::timestamptz, true)`;
/** What a later record corrects is shown as that one: an intention that was carried out, an answer that did not leave. */
const IS_LAST_WORD = `coalesce((SELECT false
    FROM evidence.audit_subject later JOIN evidence.audit_log word ON word.at = later.at AND word.seq = later.seq
    WHERE later.subject_id = s.subject_id AND later.at BETWEEN s.at AND s.at + ${CORRECTED_WITHIN} AND later.seq > s.seq
      AND word.record::json ->> 'supersedes' = s.id LIMIT 1), true)`;

const COLUMNS = `s.seq::text AS seq, s.at, l.record, l.hash, ${EXTENDED} AS extended_until`;
/**
 * The entries of subject $1 in the order of their index, each with its record. OFFSET 0 keeps the planner to that order: it
 * cannot know how few records are withheld, and would read all that a subject has for one page. An entry whose record is not
 * there must fail, not vanish: hence the outer join.
 */
const ofSubject = (where: string) => `(SELECT * FROM evidence.audit_subject s
    WHERE s.subject_id = $1 AND ${where} ORDER BY s.at DESC, s.seq DESC OFFSET 0) s
  LEFT JOIN LATERAL (SELECT * FROM evidence.audit_log l WHERE l.at = s.at AND l.seq = s.seq OFFSET 0) l ON true`;

/** $7: only this result; $8: without what this account asked. Decided first (CASE keeps the order), as it costs the least. */
const IS_MEANT = `(l.seq IS NULL OR (
    ($7::text IS NULL OR l.record::json ->> 'result' = $7)
    AND ($8::text IS NULL OR l.record::json #>> '{principal,kind}' <> 'subject' OR l.record::json #>> '{principal,id}' <> $8)))`;
const OWN = `SELECT ${COLUMNS}
  FROM ${ofSubject('($5::timestamptz IS NULL OR (s.at, s.seq) < ($5::timestamptz, $6::bigint))')}
  WHERE CASE WHEN ${IS_MEANT} THEN ${IS_RELEASED} AND ${IS_LAST_WORD} ELSE false END
  ORDER BY s.at DESC, s.seq DESC LIMIT $9`;

const POSITION = `SELECT s.at, s.seq::text AS seq FROM ${ofSubject('s.at = $5::timestamptz AND s.id = $6')} WHERE ${IS_RELEASED}`;

const IN_TIME = `($2::timestamptz IS NULL OR s.at >= $2::timestamptz) AND ($3::timestamptz IS NULL OR s.at < $3::timestamptz)
    AND ($4::bigint IS NULL OR s.seq < $4::bigint)`;
const IS_ASKED = `($5::text IS NULL OR l.seq IS NULL OR l.record::json #>> '{principal,id}' = $5)
    AND ($6::text IS NULL OR l.seq IS NULL OR l.record::json ->> 'purpose' = $6)`;
const ALL_OF_SUBJECT = `SELECT ${COLUMNS} FROM ${ofSubject(IN_TIME)} WHERE ${IS_ASKED}
  ORDER BY s.at DESC, s.seq DESC LIMIT $7`;
// The log itself is kept in the order of its numbers, in which time never goes back.
const ALL = `SELECT ${COLUMNS} FROM evidence.audit_log s JOIN LATERAL (SELECT s.seq, s.record, s.hash) l ON true
  WHERE $1::text IS NULL AND ${IN_TIME} AND ${IS_ASKED} ORDER BY s.seq DESC LIMIT $7`;
// By way of a subject, for whose sake alone a record is delayed: that index is kept by time.
const ONE = `SELECT ${COLUMNS} FROM evidence.audit_subject s JOIN evidence.audit_log l ON l.at = s.at AND l.seq = s.seq
  WHERE s.at = $1::timestamptz AND s.id = $2 LIMIT 1`;

const COUNT = `SELECT record::json ->> 'purpose' AS purpose, record::json ->> 'result' AS result, count(*) AS count
  FROM evidence.audit_log WHERE at >= $1::timestamptz AND at < $2::timestamptz GROUP BY 1, 2 ORDER BY 1, 2`;

const EXTEND = `INSERT INTO access_log.extension (record_id, until, reason, extended_by, extended_at)
  VALUES ($1, $2, $3, $4, $5) ON CONFLICT (record_id, until) DO NOTHING`;

export function createAccessLog(
  store: Adapter<Statement>,
  options: {
    now: () => number;
    delays: readonly { readonly purpose: Purpose; readonly milliseconds: number }[];
  },
): AccessLog {
  const purposes = options.delays.map(({ purpose }) => purpose);
  const seconds = options.delays.map(({ milliseconds }) => milliseconds / 1000);
  const released = () => [purposes, seconds, new Date(options.now())];

  const records = async (text: string, values: readonly unknown[], context: CallContext) =>
    (await askRows(store, rowSchema, { text, values }, context)).map(
      ({ extended_until: extendedUntil, ...row }) => ({
        ...row,
        extendedUntil,
      }),
    );

  return {
    own: ({ subject, after, limit, result, withoutAccount }, context) =>
      records(
        OWN,
        [subject, ...released(), after?.at ?? null, after?.seq ?? null, result, withoutAccount, limit],
        context,
      ),
    async positionOf(subject, { at, id }, context) {
      const values = [subject, ...released(), at, id];
      const [position] = await askRows(store, positionSchema, { text: POSITION, values }, context);
      return position ?? null;
    },
    all({ filter, after, limit }, context) {
      const { subject = null, from = null, until = null, consumer = null, purpose = null } = filter;
      const values = [subject, from, until, after?.seq ?? null, consumer, purpose, limit];
      return records(subject === null ? ALL : ALL_OF_SUBJECT, values, context);
    },
    count: (from, until, context) =>
      askRows(store, tallySchema, { text: COUNT, values: [from, until] }, context),
    async one({ at, id }, context) {
      const [found] = await records(ONE, [at, id], context);
      return found ?? null;
    },
    async extend({ record, until, reason, extendedBy, extendedAt }, context) {
      const values = [record, until, reason, extendedBy, extendedAt];
      await askRows(store, z.never(), { text: EXTEND, values }, context);
    },
  };
}
