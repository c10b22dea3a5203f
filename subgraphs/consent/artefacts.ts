/** Consents in the platform's PostgreSQL: given, read, paused, resumed, revoked. A change and its notice are one statement. */
import { z } from 'zod';
import type { Adapter, CallContext } from '../../adapters/adapter.ts';
import { LegacyError } from '../../adapters/adapter.ts';
import { askRows } from '../../adapters/postgres/rows.ts';
import type { Statement } from '../../adapters/postgres/store.ts';
import type { ConsentChannel, ConsentGiver } from '../../schema/consent.ts';
import { CONSENT_CHANNELS, CONSENT_GIVERS } from '../../schema/consent.ts';
import type { Purpose } from '../../schema/purpose.ts';
import { PURPOSES } from '../../schema/purpose.ts';
import type { AuthorisationText } from './authorisation-text.ts';
import { moment, REGISTER, toDay } from './register.ts';
import type { SignedArtefact } from './signing.ts';
import type { ConsentTerms, Frequency } from './templates.ts';

export type ConsentState = 'ACTIVE' | 'PAUSED' | 'REVOKED' | 'EXPIRED';

/** What was purged is null or empty; digests and signature stay. */
export interface Consent {
  readonly id: string;
  readonly subject: string;
  readonly consumer: string;
  readonly purpose: Purpose;
  readonly product: string | null;
  readonly channel: ConsentChannel;
  readonly draft: string | null;
  readonly givenBy: ConsentGiver;
  readonly items: readonly string[];
  readonly writtenItems: readonly string[];
  readonly refusedItems: readonly string[];
  readonly state: ConsentState;
  readonly periodFrom: string | null;
  readonly periodUntil: string | null;
  readonly dataLifeDays: number;
  readonly frequency: Frequency | null;
  readonly uses: number;
  readonly lastUsedAt: string | null;
  readonly grantedAt: string;
  readonly expiresAt: string;
  readonly revokedAt: string | null;
  readonly digest: string;
  readonly text: {
    readonly version: string;
    readonly zh: string | null;
    readonly en: string | null;
    readonly digest: string;
  } | null;
  readonly artefact: string | null;
  readonly signature: {
    readonly value: string;
    readonly algorithm: string;
    readonly keyId: string;
  } | null;
}

/** `grantedBy`: the account that consents for the subject, never an ID number. Times in ms. */
export interface NewConsent extends ConsentTerms {
  readonly id: string;
  readonly subject: string;
  readonly consumer: string;
  readonly product: string | null;
  readonly channel: ConsentChannel;
  readonly draft: string | null;
  readonly items: readonly string[];
  readonly writtenItems: readonly string[];
  readonly refusedItems: readonly string[];
  readonly givenBy: ConsentGiver;
  readonly grantedBy: string;
  readonly grantedAt: number;
  readonly text: AuthorisationText;
  readonly salt: string;
  readonly signed: SignedArtefact;
}

/** Whose consents may be read: those of these subjects, those given to this consumer, or (an auditor's) everybody's. */
export type Reader =
  { readonly subjects: readonly string[] } | { readonly consumer: string } | { readonly isAuditor: true };

export interface Artefacts {
  /** Keeps a consent; one from a draft only if that is still open, and then decides it. Null when it is not. */
  grant(consent: NewConsent, context: CallContext): Promise<Consent | null>;
  /** Moves a consent of one of `subjects` to a state; null when there is no such consent, or it was revoked for good. */
  move(
    id: string,
    subjects: readonly string[],
    to: 'ACTIVE' | 'PAUSED' | 'REVOKED',
    context: CallContext,
  ): Promise<Consent | null>;
  find(id: string, reader: Reader, context: CallContext): Promise<Consent | null>;
  /** Consents of a subject, newest first; of one consumer when that is given; those after the consent `after`. */
  list(
    subject: string,
    consumer: string | null,
    page: { readonly first: number; readonly after: string | null },
    context: CallContext,
  ): Promise<readonly Consent[]>;
}

const COLUMNS = `subject_id, id, consumer, purpose, product, channel, draft_id, given_by, items, written_items, refused_items,
  state, period_from::text, period_until::text, data_life_days, frequency_times, frequency_per, use_count, last_used_at,
  granted_at, expires_at, revoked_at, digest, text_version, text_zh, text_en, text_digest, artefact, signature,
  signature_algorithm, signature_key`;

const rowSchema = z.object({
  subject_id: z.string(),
  id: z.string(),
  consumer: z.string(),
  purpose: z.enum(PURPOSES),
  product: z.string().nullable(),
  channel: z.enum(CONSENT_CHANNELS),
  draft_id: z.string().nullable(),
  given_by: z.enum(CONSENT_GIVERS),
  items: z.array(z.string()),
  written_items: z.array(z.string()),
  refused_items: z.array(z.string()),
  state: z.enum(['ACTIVE', 'PAUSED', 'REVOKED']),
  period_from: z.string().nullable(),
  period_until: z.string().nullable(),
  data_life_days: z.number(),
  frequency_times: z.number().nullable(),
  frequency_per: z.enum(['CONSENT', 'DAY', 'MONTH']).nullable(),
  use_count: z.number(),
  last_used_at: moment.nullable(),
  granted_at: moment,
  expires_at: moment,
  revoked_at: moment.nullable(),
  digest: z.string(),
  text_version: z.string().nullable(),
  text_zh: z.string().nullable(),
  text_en: z.string().nullable(),
  text_digest: z.string().nullable(),
  artefact: z.string().nullable(),
  signature: z.string().nullable(),
  signature_algorithm: z.string().nullable(),
  signature_key: z.string().nullable(),
});

const NOTICE = 'INSERT INTO consent.notice (subject_id, consumer, kind, draft_id, consent_id, at)';

export function createArtefacts(store: Adapter<Statement>, { now }: { now: () => number }): Artefacts {
  const ask = async (statement: Statement, context: CallContext) =>
    (await askRows(store, rowSchema, statement, context)).map((row) => toConsent(row, now()));

  return {
    async grant(consent, context) {
      const decided = `UPDATE consent.draft SET state = 'GRANTED', decided_at = $17, consent_id = $2
        WHERE subject_id = $1 AND id = $25 AND state = 'OPEN' AND open_until > $17::timestamptz RETURNING id`;
      const text = `WITH decided AS (${decided}),
        granted AS (
          INSERT INTO consent.artefact (subject_id, id, consumer, purpose, product, channel, items, written_items,
            refused_items, given_by, granted_by, period_from, period_until, data_life_days, frequency_times, frequency_per,
            granted_at, expires_at, digest, text_version, text_zh, text_en, text_digest, mark_salt, draft_id, artefact,
            signature, signature_algorithm, signature_key, state)
          SELECT $1, $2::uuid, $3, $4, $5, $6, $7::text[], $8::text[], $9::text[], $10, $11, $12::date, $13::date, $14::int,
            $15::int, $16, $17::timestamptz, $18::timestamptz, $19, $20, $21, $22, $23, $24, $25::uuid, $26, $27, $28, $29,
            'ACTIVE'
          WHERE $25::uuid IS NULL OR EXISTS (SELECT FROM decided)
          RETURNING *),
        told AS (${NOTICE} SELECT subject_id, consumer, 'GRANTED', draft_id, id, granted_at FROM granted)
        SELECT ${COLUMNS} FROM granted`;
      const { signed } = consent;
      const values = [
        consent.subject,
        consent.id,
        consent.consumer,
        consent.purpose,
        consent.product,
        consent.channel,
        consent.items,
        consent.writtenItems,
        consent.refusedItems,
        consent.givenBy,
        consent.grantedBy,
        toDay(consent.periodFrom),
        toDay(consent.periodUntil),
        consent.dataLifeDays,
        consent.frequency.times,
        consent.frequency.per,
        new Date(consent.grantedAt),
        new Date(consent.expiresAt),
        signed.digest,
        consent.text.version,
        consent.text.zh,
        consent.text.en,
        consent.text.digest,
        consent.salt,
        consent.draft,
        signed.text,
        signed.signature,
        signed.algorithm,
        signed.keyId,
      ];
      const [granted] = await ask({ text, values }, context);
      if (!granted && consent.draft === null)
        throw new LegacyError('malformed', REGISTER, 'did not say what it wrote');
      return granted ?? null;
    },

    async move(id, subjects, to, context) {
      // A revocation is for good, and what was revoked keeps the moment of it. Asking for what is so already changes nothing
      // and is no error: an answer may have been lost on its way.
      const text = `WITH before AS (
          SELECT subject_id, id, state FROM consent.artefact
          WHERE subject_id = ANY($1::text[]) AND id = $2::uuid AND (state <> 'REVOKED' OR $3 = 'REVOKED') FOR UPDATE),
        moved AS (
          UPDATE consent.artefact a
          SET state = $3, revoked_at = CASE WHEN $3 = 'REVOKED' THEN coalesce(a.revoked_at, $4::timestamptz) END
          FROM before b WHERE a.subject_id = b.subject_id AND a.id = b.id RETURNING a.*),
        told AS (
          ${NOTICE} SELECT b.subject_id, m.consumer, $5, NULL, b.id, $4 FROM before b JOIN moved m ON m.id = b.id
          WHERE b.state <> $3)
        SELECT ${COLUMNS} FROM moved`;
      const kind = { ACTIVE: 'RESUMED', PAUSED: 'PAUSED', REVOKED: 'REVOKED' }[to];
      const [moved] = await ask({ text, values: [subjects, id, to, new Date(now()), kind] }, context);
      return moved ?? null;
    },

    async find(id, reader, context) {
      const { condition, value } = toCondition(reader, 2);
      const text = `SELECT ${COLUMNS} FROM consent.artefact WHERE id = $1::uuid AND subject_id <> '*' AND ${condition}`;
      const [found] = await ask({ text, values: [id, value] }, context);
      return found ?? null;
    },

    list: (subject, consumer, { first, after }, context) =>
      ask(
        {
          text: `SELECT ${COLUMNS} FROM consent.artefact
            WHERE subject_id = $1 AND ($2::text IS NULL OR consumer = $2)
              AND ($3::uuid IS NULL OR (granted_at, id) < (
                SELECT granted_at, id FROM consent.artefact WHERE subject_id = $1 AND id = $3::uuid))
            ORDER BY granted_at DESC, id DESC LIMIT $4::int`,
          values: [subject, consumer, after, first],
        },
        context,
      ),
  };
}

/** A reader as a condition on rows that have `subject_id` and `consumer`, with the parameter of that number. */
export function toCondition(
  reader: Reader,
  parameter: number,
): { readonly condition: string; readonly value: unknown } {
  if ('subjects' in reader)
    return { condition: `subject_id = ANY($${parameter}::text[])`, value: reader.subjects };
  if ('consumer' in reader) return { condition: `consumer = $${parameter}::text`, value: reader.consumer };
  return { condition: `$${parameter}::boolean`, value: reader.isAuditor };
}

function toConsent(row: z.infer<typeof rowSchema>, now: number): Consent {
  const isOver = row.state !== 'REVOKED' && Date.parse(row.expires_at) <= now;
  const { frequency_times: times, frequency_per: per, signature, text_version, text_digest } = row;
  return {
    id: row.id,
    subject: row.subject_id,
    consumer: row.consumer,
    purpose: row.purpose,
    product: row.product,
    channel: row.channel,
    draft: row.draft_id,
    givenBy: row.given_by,
    items: row.items,
    writtenItems: row.written_items,
    refusedItems: row.refused_items,
    state: isOver ? 'EXPIRED' : row.state,
    periodFrom: row.period_from,
    periodUntil: row.period_until,
    dataLifeDays: row.data_life_days,
    frequency: times !== null && per !== null ? { times, per } : null,
    uses: row.use_count,
    lastUsedAt: row.last_used_at,
    grantedAt: row.granted_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    digest: row.digest,
    text:
      text_version !== null && text_digest !== null
        ? { version: text_version, zh: row.text_zh, en: row.text_en, digest: text_digest }
        : null,
    artefact: row.artefact,
    signature:
      signature === null
        ? null
        : {
            value: signature,
            algorithm: row.signature_algorithm ?? '',
            keyId: row.signature_key ?? '',
          },
  };
}
