/** Reads what was ingested: many subjects and feeds, one statement. */
import { z } from 'zod';
import type { Adapter, LegacyRow } from '../adapter.ts';
import { LegacyError } from '../adapter.ts';

export interface FileDropRequest {
  readonly feeds: readonly string[];
  readonly keys: readonly string[];
}

/**
 * A reply's rows are `{ feed, subject, record }`. `record: null` means that the feed holds a line, set aside, that is or may
 * be this subject's: what else is known of it is not the whole, and its silence is not a clean record.
 */
export type FileDropRow = LegacyRow & {
  readonly feed: string;
  readonly subject: string;
  readonly record: Readonly<Record<string, string>> | null;
};

// A subject without a name ('') owns the lines that do not show whose they are.
const STATEMENT = `
  SELECT f.feed, f.business_date::text AS business_date, found.subject, found.record
    FROM file_drop_file f
    LEFT JOIN LATERAL (
      SELECT r.subject, r.record, r.line FROM file_drop_row r WHERE r.file = f.id AND r.subject = ANY($3)
      UNION ALL
      (SELECT DISTINCT ON (q.subject) q.subject, NULL::jsonb, q.line FROM file_drop_quarantine q
        WHERE q.file = f.id AND q.resolved_at IS NULL AND (q.subject = ANY($3) OR q.subject = ''))
    ) found ON true
   WHERE f.system = $1 AND f.feed = ANY($2) AND f.is_current
   ORDER BY f.feed, found.subject, found.line`;

const rowsSchema = z.array(
  z.object({
    feed: z.string(),
    business_date: z.iso.date(),
    subject: z.string().nullable(),
    record: z.record(z.string(), z.string()).nullable(),
  }),
);

/**
 * `asOf` of a reply: the start of the oldest business date among the feeds (China Standard Time). A feed that was never
 * delivered is a fault, not an empty answer: nothing was read, so nothing is known.
 */
export function createFileDropReader({
  system,
  sql,
}: {
  /** The name that the files were ingested under. */
  readonly system: string;
  readonly sql: Adapter<{ readonly text: string; readonly values: readonly unknown[] }>;
}): Adapter<FileDropRequest> {
  return {
    system,
    protocol: 'file-drop',
    close: () => sql.close(),
    async call({ feeds, keys }, context) {
      const reply = await sql.call({ text: STATEMENT, values: [system, feeds, keys] }, context);
      const parsed = rowsSchema.safeParse(reply.rows);
      if (!parsed.success)
        throw new LegacyError('malformed', system, 'store answered with other columns', parsed.error);
      const dates = new Map(parsed.data.map(({ feed, business_date }) => [feed, business_date]));
      const missing = feeds.filter((feed) => !dates.has(feed));
      if (missing.length > 0)
        throw new LegacyError('unavailable', system, `has not delivered ${missing.join(', ')} yet`);
      const [oldest] = [...dates.values()].sort();
      return {
        rows: feeds.flatMap((feed) => rowsOf(feed, keys, parsed.data)),
        asOf: oldest === undefined ? null : new Date(`${oldest}T00:00:00+08:00`).toISOString(),
      };
    },
  };
}

function rowsOf(feed: string, keys: readonly string[], all: z.infer<typeof rowsSchema>): FileDropRow[] {
  const own = all.filter((row) => row.feed === feed);
  const rows = own.flatMap(({ subject, record }) => (subject ? [{ feed, subject, record }] : []));
  // A line of nobody knows whom may be anybody's who seems to have none.
  if (!own.some(({ subject }) => subject === '')) return rows;
  const seen = new Set(rows.map(({ subject }) => subject));
  return [
    ...rows,
    ...keys.filter((key) => !seen.has(key)).map((subject) => ({ feed, subject, record: null })),
  ];
}
