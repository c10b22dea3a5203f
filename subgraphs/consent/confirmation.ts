/** Which consents are in force, and whether they still are and may be used once more when an answer is about to leave. */
import { z } from 'zod';
import type { Adapter, CallContext } from '../../adapters/adapter.ts';
import { askRows } from '../../adapters/postgres/rows.ts';
import type { Statement } from '../../adapters/postgres/store.ts';
import type { ConsentChannel, ConsentGiver, ConsentRefusal } from '../../schema/consent.ts';
import {
  CONFIRMATION_HOLDS_MS,
  CONSENT_CHANNELS,
  CONSENT_GIVERS,
  CONSENT_REFUSALS,
} from '../../schema/consent.ts';
import type { Purpose } from '../../schema/purpose.ts';
import { ANY, moment, periodsOf } from './register.ts';

export interface ActiveConsent {
  readonly id: string;
  readonly subject: string;
  readonly items: readonly string[];
  readonly writtenItems: readonly string[];
  readonly givenBy: ConsentGiver;
  readonly expiresAt: string;
  readonly periodFrom: string | null;
  readonly periodUntil: string | null;
  readonly channel: ConsentChannel;
}

export interface Confirmation {
  readonly held: readonly string[];
  readonly refused: readonly { readonly id: string; readonly reason: ConsentRefusal }[];
}

export interface Confirmations {
  /**
   * Consents in force for these subjects, with one SQL statement. One whose frequency is used up in the current period is
   * left out, so that no department is asked in vain, unless `request` itself has used it.
   */
  active(
    asked: {
      readonly consumer: string;
      readonly purpose: Purpose;
      readonly subjects: readonly string[];
      readonly request: string | null;
    },
    context: CallContext,
  ): Promise<readonly ActiveConsent[]>;
  /**
   * Whether these consents of `consumer` hold, each counted as used once by `request`; in one round trip. Null when the same
   * request was made before with another `digest`; then nothing was counted.
   */
  confirm(
    asked: {
      readonly ids: readonly string[];
      readonly consumer: string;
      readonly request: string;
      readonly digest: string;
    },
    context: CallContext,
  ): Promise<Confirmation | null>;
}

/** So long is a request that is repeated the same use; afterwards it is a new one. */
const SAME_REQUEST_MS = 86_400_000;

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const activeSchema = z.object({
  subject_id: z.string(),
  id: z.string(),
  items: z.array(z.string()),
  written_items: z.array(z.string()),
  given_by: z.enum(CONSENT_GIVERS),
  expires_at: moment,
  period_from: z.string().nullable(),
  period_until: z.string().nullable(),
  channel: z.enum(CONSENT_CHANNELS),
});
const confirmedSchema = z.object({
  consent_id: z.string().nullable(),
  refusal: z.enum([...CONSENT_REFUSALS, 'CONFLICT']).nullable(),
});

/** `allowStanding`: whether the rows of a sandbox that stand for every subject count. */
export function createConfirmations(
  store: Adapter<Statement>,
  { now, allowStanding }: { now: () => number; allowStanding: boolean },
): Confirmations {
  return {
    async active({ consumer, purpose, subjects, request }, context) {
      const text = `SELECT a.subject_id, a.id, a.items, a.written_items, a.given_by, a.expires_at, a.period_from::text,
          a.period_until::text, a.channel
        FROM consent.artefact a
        WHERE a.subject_id = ANY($1::text[]) AND a.consumer = $2 AND a.purpose = $3 AND a.state = 'ACTIVE'
          AND a.expires_at > $4::timestamptz
          AND (a.subject_id = '${ANY}'
            OR a.frequency_times > (SELECT count(*) FROM consent.use u
              WHERE u.subject_id = a.subject_id AND u.consent_id = a.id AND u.used_at >= CASE a.frequency_per
                WHEN 'DAY' THEN $5::timestamptz WHEN 'MONTH' THEN $6::timestamptz ELSE '-infinity'::timestamptz END)
            OR EXISTS (SELECT FROM consent.use u
              WHERE u.subject_id = a.subject_id AND u.consent_id = a.id AND u.request = $7 AND u.used_at > $8::timestamptz))`;
      const at = now();
      const { day, month } = periodsOf(at);
      const values = [
        allowStanding ? [...subjects, ANY] : subjects.filter((subject) => subject !== ANY),
        consumer,
        purpose,
        new Date(at),
        new Date(day),
        new Date(month),
        request,
        new Date(at - SAME_REQUEST_MS),
      ];
      const rows = await askRows(store, activeSchema, { text, values }, context);
      return rows.flatMap((row) =>
        (row.subject_id === ANY ? [...new Set(subjects)] : [row.subject_id]).map((subject) => ({
          id: row.id,
          subject,
          items: row.items,
          writtenItems: row.written_items,
          givenBy: row.given_by,
          expiresAt: row.expires_at,
          periodFrom: row.period_from,
          periodUntil: row.period_until,
          channel: row.channel,
        })),
      );
    },

    async confirm({ ids, consumer, request, digest }, context) {
      const asked = [...new Set(ids.map((id) => id.toLowerCase()))];
      const at = now();
      const { day, month } = periodsOf(at);
      const values = [
        asked.filter((id) => ID.test(id)),
        consumer,
        request,
        digest,
        allowStanding,
        new Date(at),
        new Date(at + CONFIRMATION_HOLDS_MS),
        new Date(day),
        new Date(month),
        new Date(at - SAME_REQUEST_MS),
      ];
      const text =
        'SELECT consent_id, refusal FROM consent.confirm($1::uuid[], $2, $3, $4, $5, $6, $7, $8, $9, $10)';
      const rows = await askRows(store, confirmedSchema, { text, values }, context);
      if (rows.some(({ refusal }) => refusal === 'CONFLICT')) return null;
      const said = new Map(rows.map((row) => [row.consent_id, row.refusal]));
      const held: string[] = [];
      const refused: { id: string; reason: ConsentRefusal }[] = [];
      for (const id of asked) {
        const refusal = said.get(id);
        if (refusal === null) held.push(id);
        // Silence is never a yes.
        else
          refused.push({ id, reason: refusal === undefined || refusal === 'CONFLICT' ? 'UNKNOWN' : refusal });
      }
      return { held, refused };
    },
  };
}
