/** What consumers and subjects are told of their consents, in the order in which it was committed, at least once. */
import { z } from 'zod';
import type { Adapter, CallContext } from '../../adapters/adapter.ts';
import { askRows } from '../../adapters/postgres/rows.ts';
import type { Statement } from '../../adapters/postgres/store.ts';
import type { Reader } from './artefacts.ts';
import { toCondition } from './artefacts.ts';
import { moment } from './register.ts';

export const NOTICE_KINDS = [
  'PREPARED',
  'GRANTED',
  'REFUSED',
  'PAUSED',
  'RESUMED',
  'REVOKED',
  'EXPIRED',
  'USED_UP',
  'DELETION_DUE',
] as const;

export interface Notice {
  readonly kind: (typeof NOTICE_KINDS)[number];
  readonly subject: string;
  readonly consumer: string;
  readonly draft: string | null;
  readonly consent: string | null;
  readonly at: string;
}

/** `cursor`: what to ask after next; the one that was given when there is nothing new. */
export interface NoticePage {
  readonly notices: readonly Notice[];
  readonly cursor: string | null;
}

export interface Notices {
  after(cursor: string | null, reader: Reader, first: number, context: CallContext): Promise<NoticePage>;
}

const rowSchema = z.object({
  tx: z.string(),
  seq: z.string(),
  kind: z.enum(NOTICE_KINDS),
  subject_id: z.string(),
  consumer: z.string(),
  draft_id: z.string().nullable(),
  consent_id: z.string().nullable(),
  at: moment,
});

/** A cursor says only how far somebody has read; what is read is decided by who reads. */
export const isNoticeCursor = (text: string): boolean => /^\d{1,18}-\d{1,18}$/.test(text);

export function createNotices(store: Adapter<Statement>): Notices {
  return {
    async after(cursor, reader, first, context) {
      const { condition, value } = toCondition(reader, 1);
      const text = `SELECT tx::text, seq::text, kind, subject_id, consumer, draft_id, consent_id, at FROM consent.notice
        WHERE ${condition}
          AND (tx, seq) > ($2::text::xid8, $3::bigint) AND tx < pg_snapshot_xmin(pg_current_snapshot())
        ORDER BY tx, seq LIMIT $4::int`;
      const [tx = '0', seq = '0'] = cursor?.split('-') ?? [];
      const values = [value, tx, seq, first];
      const rows = await askRows(store, rowSchema, { text, values }, context);
      const last = rows.at(-1);
      return {
        notices: rows.map((row) => ({
          kind: row.kind,
          subject: row.subject_id,
          consumer: row.consumer,
          draft: row.draft_id,
          consent: row.consent_id,
          at: row.at,
        })),
        cursor: last ? `${last.tx}-${last.seq}` : cursor,
      };
    },
  };
}
