/** Parsed files → the platform's PostgreSQL, one transaction a file: readers see the old snapshot or the new one, never half. */
import type pg from 'pg';
import type { Feed } from './feed.ts';
import type { Line } from './formats.ts';
import { parseLine } from './formats.ts';

export interface ParsedFile {
  readonly system: string;
  readonly feed: Feed;
  readonly name: string;
  readonly digest: string;
  readonly businessDate: string;
  readonly lines: readonly Line[];
}

export interface CurrentFile {
  readonly feed: string;
  readonly name: string;
  readonly digest: string;
  readonly businessDate: string;
}

/**
 * Taken lines are loaded or quarantined; there is no third way. `changed`: subjects of whom the feed says something else than
 * before, or of whom a line was or is set aside; null: nobody can tell of whom. `null`: another process was first.
 */
export type LoadResult = {
  readonly loaded: number;
  readonly quarantined: number;
  readonly changed: readonly string[] | null;
} | null;

/**
 * `superseded`: the line's file is no longer the current one, so its line has nothing to correct.
 * `unknown`: no such open entry. `still-bad`: the correction cannot be taken either; the entry stays open.
 */
export type Resubmission =
  | { readonly outcome: 'loaded' | 'superseded' | 'unknown' }
  | { readonly outcome: 'still-bad'; readonly reason: string };

/** Lines at once: queries of this process get their turn in between. */
const BATCH = 4_000;

export async function readCurrentFiles(
  pool: pg.Pool,
  system: string,
): Promise<ReadonlyMap<string, CurrentFile>> {
  const { rows } = await pool.query<CurrentFile>(
    `SELECT feed, name, digest, business_date::text AS "businessDate" FROM file_drop_file WHERE system = $1 AND is_current`,
    [system],
  );
  return new Map(rows.map((row) => [row.feed, row]));
}

export async function loadFile(pool: pg.Pool, file: ParsedFile, takenAt: Date): Promise<LoadResult> {
  return inTransaction(pool, async (client) => {
    // Two processes may sync the same drop: the second waits here, and finds the work done.
    await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [
      `${file.system}/${file.feed.name}`,
    ]);
    const { rows } = await client.query<{ id: string; is_same: boolean }>(
      `SELECT id, business_date > $3 OR (name = $4 AND digest = $5) AS is_same
         FROM file_drop_file WHERE system = $1 AND feed = $2 AND is_current`,
      [file.system, file.feed.name, file.businessDate, file.name, file.digest],
    );
    const [before] = rows;
    if (before?.is_same) return null;
    if (before) await client.query('UPDATE file_drop_file SET is_current = false WHERE id = $1', [before.id]);
    const inserted = await client.query<{ id: string }>(
      `INSERT INTO file_drop_file (system, feed, name, digest, business_date, lines, taken_at, is_current)
       VALUES ($1, $2, $3, $4, $5, $6, $7, true) RETURNING id`,
      [file.system, file.feed.name, file.name, file.digest, file.businessDate, file.lines.length, takenAt],
    );
    const id = inserted.rows[0]?.id;
    let quarantined = 0;
    for (let from = 0; from < file.lines.length; from += BATCH) {
      const { good, bad } = sortLines(file.lines.slice(from, from + BATCH), file.feed);
      quarantined += bad.length;
      await client.query(
        `INSERT INTO file_drop_row (subject, file, line, record)
         SELECT subject, $1, line, record FROM json_to_recordset($2) AS row(subject text, line integer, record jsonb)`,
        [id, JSON.stringify(good)],
      );
      await client.query(
        `INSERT INTO file_drop_quarantine (subject, file, line, raw, reason)
         SELECT subject, $1, line, raw, reason
           FROM unnest($2::text[], $3::integer[], $4::bytea[], $5::text[]) AS bad(subject, line, raw, reason)`,
        [id, ...(['subject', 'line', 'raw', 'reason'] as const).map((key) => bad.map((entry) => entry[key]))],
      );
    }
    const changed = before ? await findChanged(client, before.id, id ?? '') : null;
    // By file, which no index begins with: once a night a scan is cheaper than an index that every insert pays for.
    if (before) await client.query('DELETE FROM file_drop_row WHERE file = $1', [before.id]);
    return { loaded: file.lines.length - quarantined, quarantined, changed };
  });
}

async function findChanged(
  client: pg.PoolClient,
  before: string,
  after: string,
): Promise<readonly string[] | null> {
  const said = (file: string) => `SELECT subject, record FROM file_drop_row WHERE file = ${file}`;
  const { rows } = await client.query<{ subject: string }>(
    `SELECT DISTINCT subject FROM (
       (${said('$1')} EXCEPT ${said('$2')}) UNION ALL (${said('$2')} EXCEPT ${said('$1')})
       UNION ALL SELECT subject, NULL FROM file_drop_quarantine WHERE file IN ($1, $2) AND resolved_at IS NULL
     ) AS changed`,
    [before, after],
  );
  return rows.some(({ subject }) => subject === '') ? null : rows.map(({ subject }) => subject);
}

/** Hands a quarantined line in again, corrected: `raw` is the whole line in the file's encoding, without its end. */
export async function resubmitLine(
  pool: pg.Pool,
  feedOf: (system: string, name: string) => Feed | undefined,
  quarantineId: string,
  raw: Buffer,
  now: Date,
): Promise<Resubmission> {
  return inTransaction(pool, async (client) => {
    const { rows } = await client.query<{
      file: string;
      line: number;
      system: string;
      feed: string;
      is_current: boolean;
    }>(
      `SELECT q.file, q.line, f.system, f.feed, f.is_current FROM file_drop_quarantine q JOIN file_drop_file f ON f.id = q.file
        WHERE q.id = $1 AND q.resolved_at IS NULL FOR UPDATE`,
      [quarantineId],
    );
    const [entry] = rows;
    const feed = entry && feedOf(entry.system, entry.feed);
    if (!entry || !feed) return { outcome: 'unknown' };
    if (entry.is_current) {
      const { good, bad } = sortLines([parseLine(raw, entry.line, feed.format)], feed);
      const [line] = good;
      if (!line) return { outcome: 'still-bad', reason: bad[0]?.reason ?? '' };
      await client.query('INSERT INTO file_drop_row (subject, file, line, record) VALUES ($1, $2, $3, $4)', [
        line.subject,
        entry.file,
        entry.line,
        JSON.stringify(line.record),
      ]);
    }
    await client.query('UPDATE file_drop_quarantine SET resolved_at = $2 WHERE id = $1', [quarantineId, now]);
    return { outcome: entry.is_current ? 'loaded' : 'superseded' };
  });
}

function sortLines(lines: readonly Line[], { subjectOf, subjectIn }: Feed) {
  const good: { subject: string; line: number; record: object }[] = [];
  const bad: { subject: string; line: number; raw: Buffer; reason: string }[] = [];
  for (const { number, raw, ...parsed } of lines) {
    if ('reason' in parsed) {
      const subject = subjectIn.exec(raw.toString('latin1'))?.[0] ?? '';
      bad.push({ subject, line: number, raw, reason: parsed.reason });
      continue;
    }
    const { subject, reason } = subjectOf(parsed.record);
    if (reason === undefined) good.push({ subject, line: number, record: parsed.record });
    else bad.push({ subject, line: number, raw, reason });
  }
  return { good, bad };
}

async function inTransaction<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  // A connection that breaks between two statements says so by an event; the next statement then rejects.
  client.on('error', () => {});
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    client.removeAllListeners('error');
    client.release();
    return result;
  } catch (error) {
    // Closed rather than rolled back: whatever state the connection is in, nobody gets it again.
    client.release(true);
    throw error;
  }
}
