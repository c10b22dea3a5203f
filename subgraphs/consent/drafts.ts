/** Drafts: what a bank proposes, until the subject has decided or nobody has for too long. */
import { z } from 'zod';
import type { Adapter, CallContext } from '../../adapters/adapter.ts';
import { askRows } from '../../adapters/postgres/rows.ts';
import type { Statement } from '../../adapters/postgres/store.ts';
import { CONSENT_CHANNELS } from '../../schema/consent.ts';
import { PURPOSES } from '../../schema/purpose.ts';
import type { Reader } from './artefacts.ts';
import { toCondition } from './artefacts.ts';
import { moment } from './register.ts';
import type { Proposal } from './source.ts';

export interface Draft extends Proposal {
  readonly id: string;
  readonly state: 'OPEN' | 'GRANTED' | 'REFUSED' | 'LAPSED';
  readonly preparedAt: string;
  readonly openUntil: string;
  readonly decidedAt: string | null;
  /** The consent that came of it. */
  readonly consent: string | null;
}

export interface Drafts {
  /** Null when this consumer has too many open drafts with this subject already. */
  prepare(id: string, proposal: Proposal, context: CallContext): Promise<Draft | null>;
  find(id: string, reader: Reader, context: CallContext): Promise<Draft | null>;
  /** Records that the subject refuses all of it; false when the draft is not open any more. */
  refuse(draft: Draft, context: CallContext): Promise<boolean>;
}

/** Of one consumer with one subject: so that nobody is worn down by drafts, and no register filled with them. */
const MOST_OPEN = 20;

const contentSchema = z.object({
  purpose: z.enum(PURPOSES),
  product: z.string(),
  channel: z.enum(CONSENT_CHANNELS),
  items: z.array(z.string()),
  terms: z.object({
    purpose: z.enum(PURPOSES),
    expiresAt: z.number(),
    periodFrom: z.number(),
    periodUntil: z.number(),
    dataLifeDays: z.number(),
    frequency: z.object({ times: z.number(), per: z.enum(['CONSENT', 'DAY', 'MONTH']) }),
  }),
  text: z.object({ version: z.string(), zh: z.string(), en: z.string(), digest: z.string() }),
});
const rowSchema = z.object({
  subject_id: z.string(),
  id: z.string(),
  consumer: z.string(),
  state: z.enum(['OPEN', 'GRANTED', 'REFUSED']),
  content: contentSchema,
  prepared_at: moment,
  open_until: moment,
  decided_at: moment.nullable(),
  consent_id: z.string().nullable(),
});

const COLUMNS = 'subject_id, id, consumer, state, content, prepared_at, open_until, decided_at, consent_id';
const NOTICE = 'INSERT INTO consent.notice (subject_id, consumer, kind, draft_id, at)';

/** `openMs`: for how long a draft can be decided. */
export function createDrafts(
  store: Adapter<Statement>,
  { now, openMs }: { now: () => number; openMs: number },
): Drafts {
  const ask = async (statement: Statement, context: CallContext) =>
    (await askRows(store, rowSchema, statement, context)).map((row) => toDraft(row, now()));

  return {
    async prepare(id, { subject, consumer, ...content }, context) {
      const text = `WITH prepared AS (
          INSERT INTO consent.draft (subject_id, id, consumer, state, content, prepared_at, open_until)
          SELECT $1, $2::uuid, $3, 'OPEN', $4::jsonb, $5::timestamptz, $6::timestamptz
          WHERE (SELECT count(*) FROM consent.draft
            WHERE subject_id = $1 AND consumer = $3 AND state = 'OPEN' AND open_until > $5::timestamptz) < ${MOST_OPEN}
          RETURNING *),
        told AS (${NOTICE} SELECT subject_id, consumer, 'PREPARED', id, prepared_at FROM prepared)
        SELECT ${COLUMNS} FROM prepared`;
      const at = now();
      const values = [
        subject,
        id,
        consumer,
        JSON.stringify(content),
        new Date(at),
        // Terms that end sooner cannot be agreed to later.
        new Date(Math.min(at + openMs, content.terms.expiresAt)),
      ];
      const [prepared] = await ask({ text, values }, context);
      return prepared ?? null;
    },

    async find(id, reader, context) {
      const { condition, value } = toCondition(reader, 2);
      const text = `SELECT ${COLUMNS} FROM consent.draft WHERE id = $1::uuid AND ${condition}`;
      const [found] = await ask({ text, values: [id, value] }, context);
      return found ?? null;
    },

    async refuse({ subject, id }, context) {
      const text = `WITH refused AS (
          UPDATE consent.draft SET state = 'REFUSED', decided_at = $3::timestamptz
          WHERE subject_id = $1 AND id = $2::uuid AND state = 'OPEN' AND open_until > $3::timestamptz RETURNING *),
        told AS (${NOTICE} SELECT subject_id, consumer, 'REFUSED', id, decided_at FROM refused)
        SELECT ${COLUMNS} FROM refused`;
      return (await ask({ text, values: [subject, id, new Date(now())] }, context)).length > 0;
    },
  };
}

function toDraft(row: z.infer<typeof rowSchema>, now: number): Draft {
  return {
    id: row.id,
    subject: row.subject_id,
    consumer: row.consumer,
    ...row.content,
    state: row.state === 'OPEN' && Date.parse(row.open_until) <= now ? 'LAPSED' : row.state,
    preparedAt: row.prepared_at,
    openUntil: row.open_until,
    decidedAt: row.decided_at,
    consent: row.consent_id,
  };
}
