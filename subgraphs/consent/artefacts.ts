/** Consents in the platform's PostgreSQL. Every look-up goes to the tables: a revocation counts from its commit on. */
import { createHash, randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Adapter, CallContext } from '../../adapters/adapter.ts';
import { LegacyError } from '../../adapters/adapter.ts';
import type { Purpose } from '../../schema/purpose.ts';
import { PURPOSES } from '../../schema/purpose.ts';
import type { Statement } from '../../adapters/postgres/store.ts';
import type { ConsentTerms, Frequency } from './templates.ts';

export const REGISTER = '授权登记簿';

/** Stands for every subject, or every item, in the standing grants of a sandbox. */
export const ANY = '*';

export interface Consent {
  readonly id: string;
  readonly subject: string;
  readonly consumer: string;
  readonly purpose: Purpose;
  readonly items: readonly string[];
  readonly state: 'ACTIVE' | 'PAUSED' | 'REVOKED' | 'EXPIRED';
  readonly periodFrom: string | null;
  readonly periodUntil: string | null;
  readonly dataLifeDays: number;
  readonly frequency: Frequency | null;
  readonly grantedAt: string;
  readonly expiresAt: string;
  readonly revokedAt: string | null;
  readonly digest: string;
}

export type ActiveConsent = Pick<Consent, 'id' | 'subject' | 'items' | 'expiresAt'>;

/** `grantedBy`: the account that consents for the subject, never an ID number. Times in ms. */
export interface NewConsent extends ConsentTerms {
  readonly subject: string;
  readonly consumer: string;
  readonly items: readonly string[];
  readonly grantedBy: string;
  readonly grantedAt: number;
}

export interface Artefacts {
  grant(consent: NewConsent, context: CallContext): Promise<Consent>;
  /** Moves a consent of one of `subjects` to a state; null when there is no such consent, or it was revoked. */
  move(
    id: string,
    subjects: readonly string[],
    to: Consent['state'],
    context: CallContext,
  ): Promise<Consent | null>;
  /** All consents of a subject, newest first; of one consumer when that is given. */
  list(subject: string, consumer: string | null, context: CallContext): Promise<readonly Consent[]>;
  /** Consents in force for these subjects, with one SQL statement. */
  active(
    asked: { consumer: string; purpose: Purpose; subjects: readonly string[] },
    context: CallContext,
  ): Promise<readonly ActiveConsent[]>;
}

const COLUMNS = `subject_id, id, consumer, purpose, items, state, period_from::text, period_until::text, data_life_days,
  frequency_times, frequency_per, granted_at, expires_at, revoked_at, digest`;

const moment = z.date().transform((date) => date.toISOString());
const rowSchema = z.object({
  subject_id: z.string(),
  id: z.string(),
  consumer: z.string(),
  purpose: z.enum(PURPOSES),
  items: z.array(z.string()),
  state: z.enum(['ACTIVE', 'PAUSED', 'REVOKED']),
  period_from: z.string().nullable(),
  period_until: z.string().nullable(),
  data_life_days: z.number(),
  frequency_times: z.number().nullable(),
  frequency_per: z.enum(['CONSENT', 'DAY', 'MONTH']).nullable(),
  granted_at: moment,
  expires_at: moment,
  revoked_at: moment.nullable(),
  digest: z.string(),
});
const activeSchema = rowSchema.pick({ subject_id: true, id: true, items: true, expires_at: true });

/** `allowStanding`: whether the rows of a sandbox that stand for every subject count. */
export function createArtefacts(
  store: Adapter<Statement>,
  { now, allowStanding }: { now: () => number; allowStanding: boolean },
): Artefacts {
  async function ask<Row>(
    schema: z.ZodType<Row>,
    statement: Statement,
    context: CallContext,
  ): Promise<readonly Row[]> {
    const { rows } = await store.call(statement, context);
    const parsed = z.array(schema).safeParse(rows);
    if (!parsed.success)
      throw new LegacyError('malformed', REGISTER, 'answered rows of another shape', parsed.error);
    return parsed.data;
  }
  const consents = async (statement: Statement, context: CallContext) =>
    (await ask(rowSchema, statement, context)).map((row) => toConsent(row, now()));

  return {
    async grant(consent, context) {
      const text = `INSERT INTO consent.artefact (subject_id, id, consumer, purpose, items, state, period_from, period_until,
          data_life_days, frequency_times, frequency_per, granted_by, granted_at, expires_at, digest)
        VALUES ($1, $2, $3, $4, $5, 'ACTIVE', $6, $7, $8, $9, $10, $11, $12, $13, $14) RETURNING ${COLUMNS}`;
      const values = [
        consent.subject,
        randomUUID(),
        consent.consumer,
        consent.purpose,
        consent.items,
        toDay(consent.periodFrom),
        toDay(consent.periodUntil),
        consent.dataLifeDays,
        consent.frequency.times,
        consent.frequency.per,
        consent.grantedBy,
        new Date(consent.grantedAt),
        new Date(consent.expiresAt),
        digestOf(consent),
      ];
      const [granted] = await consents({ text, values }, context);
      if (!granted) throw new LegacyError('malformed', REGISTER, 'did not say what it wrote');
      return granted;
    },

    async move(id, subjects, to, context) {
      // A revocation is for good, and what was revoked keeps the moment of it.
      const text = `UPDATE consent.artefact
        SET state = $3, revoked_at = CASE WHEN $3 = 'REVOKED' THEN $4::timestamptz END
        WHERE subject_id = ANY($1::text[]) AND id = $2 AND state <> 'REVOKED' RETURNING ${COLUMNS}`;
      const [moved] = await consents({ text, values: [subjects, id, to, new Date(now())] }, context);
      return moved ?? null;
    },

    list: (subject, consumer, context) =>
      consents(
        {
          text: `SELECT ${COLUMNS} FROM consent.artefact
            WHERE subject_id = $1 AND ($2::text IS NULL OR consumer = $2) ORDER BY granted_at DESC, id`,
          values: [subject, consumer],
        },
        context,
      ),

    async active({ consumer, purpose, subjects }, context) {
      const text = `SELECT subject_id, id, items, expires_at FROM consent.artefact
        WHERE subject_id = ANY($1::text[]) AND consumer = $2 AND purpose = $3 AND state = 'ACTIVE' AND expires_at > $4`;
      const asked = allowStanding ? [...subjects, ANY] : subjects.filter((subject) => subject !== ANY);
      const rows = await ask(
        activeSchema,
        { text, values: [asked, consumer, purpose, new Date(now())] },
        context,
      );
      return rows.flatMap(({ subject_id: of, id, items, expires_at: expiresAt }) =>
        (of === ANY ? [...new Set(subjects)] : [of]).map((subject) => ({ id, subject, items, expiresAt })),
      );
    },
  };
}

function toConsent(row: z.infer<typeof rowSchema>, now: number): Consent {
  const isOver = row.state !== 'REVOKED' && Date.parse(row.expires_at) <= now;
  return {
    id: row.id,
    subject: row.subject_id,
    consumer: row.consumer,
    purpose: row.purpose,
    items: row.items,
    state: isOver ? 'EXPIRED' : row.state,
    periodFrom: row.period_from,
    periodUntil: row.period_until,
    dataLifeDays: row.data_life_days,
    frequency:
      row.frequency_times !== null && row.frequency_per !== null
        ? { times: row.frequency_times, per: row.frequency_per }
        : null,
    grantedAt: row.granted_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    digest: row.digest,
  };
}

const toDay = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** SM3 over the terms in the order in which they stand here, so that what was consented to can be shown later. */
function digestOf(consent: NewConsent): string {
  const { subject, consumer, purpose, items, periodFrom, periodUntil, dataLifeDays, frequency, grantedBy } =
    consent;
  const { grantedAt, expiresAt } = consent;
  const terms = [
    subject,
    consumer,
    purpose,
    [...items].sort(),
    toDay(periodFrom),
    toDay(periodUntil),
    dataLifeDays,
  ];
  const rest = [frequency.times, frequency.per, grantedBy, grantedAt, expiresAt];
  return `sm3:${createHash('sm3')
    .update(JSON.stringify([...terms, ...rest]))
    .digest('hex')}`;
}
