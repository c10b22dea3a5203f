/** The lines that were set aside, for the officer who looks at them. How one is handed in again is in store.ts. */
import type pg from 'pg';

/** Whatever is said of a line here holds nothing of what stands in it but the subject, where one could be told. */
export interface QuarantinedLine {
  readonly id: string;
  readonly system: string;
  readonly feed: string;
  readonly file: string;
  readonly line: number;
  /** '' where nobody can tell whose it is. */
  readonly subject: string;
  readonly reason: string;
}

const OPEN = `FROM file_drop_quarantine q JOIN file_drop_file f ON f.id = q.file
  WHERE q.resolved_at IS NULL AND f.is_current`;

/** Open entries of the files that count now; those of earlier files have nothing left to correct. */
export async function listQuarantine(pool: pg.Pool): Promise<readonly QuarantinedLine[]> {
  const { rows } = await pool.query<QuarantinedLine>(
    `SELECT q.id::text, f.system, f.feed, f.name AS file, q.line, q.subject, q.reason ${OPEN} ORDER BY f.system, f.feed, q.line`,
  );
  return rows;
}

/** The line as it was delivered, with a mark where its bytes are no text; null when there is no such open entry. It may hold personal data. */
export async function readQuarantinedLine(pool: pg.Pool, id: string): Promise<string | null> {
  const { rows } = await pool.query<{ raw: Buffer }>(`SELECT q.raw ${OPEN} AND q.id = $1`, [id]);
  return rows[0] ? new TextDecoder('gb18030').decode(rows[0].raw) : null;
}
