/** The register of emergency accesses in the platform's PostgreSQL. Every look-up goes to the table: nothing is kept. */
import { z } from 'zod';
import type { Adapter, CallContext } from '../../adapters/adapter.ts';
import { LegacyError } from '../../adapters/adapter.ts';
import { askRows } from '../../adapters/postgres/rows.ts';
import type { Statement } from '../../adapters/postgres/store.ts';

export const SYSTEM = '紧急查询登记簿';

export const VERDICTS = ['JUSTIFIED', 'UNJUSTIFIED'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** Moments in ISO 8601. */
export interface Release {
  readonly id: string;
  readonly subject: string;
  /** The account of the officer who opened it. */
  readonly officer: string;
  readonly department: string;
  readonly items: readonly string[];
  readonly reason: string;
  readonly reasonDigest: string;
  readonly openedAt: string;
  readonly expiresAt: string;
  readonly closedAt: string | null;
  readonly reviewDueAt: string;
  readonly verdict: Verdict | null;
  readonly note: string | null;
  readonly reviewedBy: string | null;
  readonly reviewedAt: string | null;
}
export type NewRelease = Omit<Release, 'closedAt' | 'verdict' | 'note' | 'reviewedBy' | 'reviewedAt'>;
export type ActiveRelease = Pick<Release, 'id' | 'subject' | 'items' | 'expiresAt'>;

/** Why an officer opens none now. */
export const REFUSALS = ['OVERDUE', 'UNJUSTIFIED', 'TOO_MANY_OPEN'] as const;
export type Refusal = (typeof REFUSALS)[number];

export interface Position {
  readonly at: string;
  readonly id: string;
}

export interface Register {
  /** Null when it was opened. `barredSince`: a verdict of UNJUSTIFIED after this moment (ISO 8601) counts. */
  open(
    release: NewRelease,
    limits: { readonly mostOpen: number; readonly barredSince: string },
    context: CallContext,
  ): Promise<Refusal | null>;
  /** Null when this officer has no such release that is open. */
  close(id: string, officer: string, context: CallContext): Promise<Release | null>;
  /**
   * Null when there is none that this reviewer may judge: not reviewed yet, not their own and, to be found JUSTIFIED, over.
   * An UNJUSTIFIED one ends at once.
   */
  review(
    id: string,
    review: { readonly verdict: Verdict; readonly note: string; readonly by: string },
    context: CallContext,
  ): Promise<Release | null>;
  /** Not reviewed yet, the one that is due first before the others. */
  unreviewed(page: Page, context: CallContext): Promise<readonly Release[]>;
  /** An officer's own, newest first. */
  own(officer: string, page: Page, context: CallContext): Promise<readonly Release[]>;
  /** In force for this officer and these subjects, with one SQL statement. */
  active(
    asked: { readonly officer: string; readonly subjects: readonly string[] },
    context: CallContext,
  ): Promise<readonly ActiveRelease[]>;
}

interface Page {
  readonly after: Position | null;
  readonly limit: number;
}

const COLUMNS = `subject_id, id, officer, department, items, reason, reason_digest, opened_at, expires_at, closed_at,
  review_due_at, verdict, note, reviewed_by, reviewed_at`;

const moment = z.date().transform((date) => date.toISOString());
const rowSchema = z.object({
  subject_id: z.string(),
  id: z.string(),
  officer: z.string(),
  department: z.string(),
  items: z.array(z.string()),
  reason: z.string(),
  reason_digest: z.string(),
  opened_at: moment,
  expires_at: moment,
  closed_at: moment.nullable(),
  review_due_at: moment,
  verdict: z.enum(VERDICTS).nullable(),
  note: z.string().nullable(),
  reviewed_by: z.string().nullable(),
  reviewed_at: moment.nullable(),
});
const activeSchema = rowSchema.pick({ subject_id: true, id: true, items: true, expires_at: true });
const outcomeSchema = z.object({ outcome: z.enum(['OPENED', ...REFUSALS]) });

export function createRegister(store: Adapter<Statement>, now: () => number): Register {
  const releases = async (text: string, values: readonly unknown[], context: CallContext) =>
    (await askRows(store, rowSchema, { text, values }, context)).map(toRelease);
  const moments = () => new Date(now());

  return {
    async open(release, { mostOpen, barredSince }, context) {
      const values = [
        release.subject,
        release.id,
        release.officer,
        release.department,
        release.items,
        release.reason,
        release.reasonDigest,
        release.openedAt,
        release.expiresAt,
        release.reviewDueAt,
        mostOpen,
        barredSince,
      ];
      const text = `SELECT break_glass.open($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) AS outcome`;
      const [row] = await askRows(store, outcomeSchema, { text, values }, context);
      if (!row) throw new LegacyError('malformed', SYSTEM, 'did not say whether it wrote');
      return row.outcome === 'OPENED' ? null : row.outcome;
    },

    async close(id, officer, context) {
      const text = `UPDATE break_glass.release SET closed_at = $3
        WHERE id = $1 AND officer = $2 AND closed_at IS NULL AND expires_at > $3 RETURNING ${COLUMNS}`;
      const [closed] = await releases(text, [id, officer, moments()], context);
      return closed ?? null;
    },

    async review(id, { verdict, note, by }, context) {
      const text = `UPDATE break_glass.release
        SET verdict = $2, note = $3, reviewed_by = $4, reviewed_at = $5,
          closed_at = CASE WHEN closed_at IS NULL AND expires_at > $5 THEN $5::timestamptz ELSE closed_at END
        WHERE id = $1 AND verdict IS NULL AND officer <> $4
          AND ($2 = 'UNJUSTIFIED' OR closed_at IS NOT NULL OR expires_at <= $5) RETURNING ${COLUMNS}`;
      const [reviewed] = await releases(text, [id, verdict, note, by, moments()], context);
      return reviewed ?? null;
    },

    unreviewed: ({ after, limit }, context) =>
      releases(
        `SELECT ${COLUMNS} FROM break_glass.release WHERE verdict IS NULL
           AND ($1::timestamptz IS NULL OR (review_due_at, id) > ($1::timestamptz, $2::uuid))
         ORDER BY review_due_at, id LIMIT $3`,
        [after?.at ?? null, after?.id ?? null, limit],
        context,
      ),

    own: (officer, { after, limit }, context) =>
      releases(
        `SELECT ${COLUMNS} FROM break_glass.release WHERE officer = $1
           AND ($2::timestamptz IS NULL OR (opened_at, id) < ($2::timestamptz, $3::uuid))
         ORDER BY opened_at DESC, id DESC LIMIT $4`,
        [officer, after?.at ?? null, after?.id ?? null, limit],
        context,
      ),

    async active({ officer, subjects }, context) {
      const text = `SELECT subject_id, id, items, expires_at FROM break_glass.release
        WHERE subject_id = ANY($1::text[]) AND officer = $2 AND closed_at IS NULL AND expires_at > $3`;
      const values = [subjects, officer, moments()];
      const rows = await askRows(store, activeSchema, { text, values }, context);
      return rows.map(({ subject_id: subject, id, items, expires_at: expiresAt }) => ({
        id,
        subject,
        items,
        expiresAt,
      }));
    },
  };
}

function toRelease(row: z.infer<typeof rowSchema>): Release {
  return {
    id: row.id,
    subject: row.subject_id,
    officer: row.officer,
    department: row.department,
    items: row.items,
    reason: row.reason,
    reasonDigest: row.reason_digest,
    openedAt: row.opened_at,
    expiresAt: row.expires_at,
    closedAt: row.closed_at,
    reviewDueAt: row.review_due_at,
    verdict: row.verdict,
    note: row.note,
    reviewedBy: row.reviewed_by,
    reviewedAt: row.reviewed_at,
  };
}
