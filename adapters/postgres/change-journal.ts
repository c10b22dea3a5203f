/**
 * The journal of announced changes, in the platform's PostgreSQL: names of what has changed, each at a position. Positions
 * only grow: they are milliseconds where the clock allows it, so that even a database that lost its last rows in a failover
 * goes on above them.
 */
import type { Pool } from 'pg';
import { migrate } from './migrate.ts';

export interface JournalEntry {
  readonly position: number;
  readonly names: readonly string[];
}

export interface ChangeJournal {
  /** Makes the tables where they are not there. */
  prepare(): Promise<void>;
  /** What was announced after a position, in order; `position`: that of the last, or the one that was asked with. */
  read(after: number): Promise<{ readonly changes: readonly JournalEntry[]; readonly position: number }>;
  /** Durable when it resolves; the position of the last entry. */
  append(names: readonly string[]): Promise<number>;
}

/** Longer than anything is kept anywhere: nobody who starts later needs to know. */
const KEPT = '2 days';
const MOST_AT_ONCE = 2_000;
const NAMES_AN_ENTRY = 1_000;

const MIGRATIONS = [
  {
    id: '0001-journal',
    sql: `
      CREATE TABLE change_journal (
        position     bigint PRIMARY KEY,
        names        text[] NOT NULL,
        announced_at timestamptz NOT NULL DEFAULT now()
      );
    `,
  },
] as const;

export function createChangeJournal(pool: Pool): ChangeJournal {
  return {
    prepare: () => migrate(pool, 'change-journal', MIGRATIONS),
    async read(after) {
      const changes: JournalEntry[] = [];
      for (;;) {
        const { rows } = await pool.query<JournalEntry>(
          `SELECT position::float8 AS position, names FROM change_journal
            WHERE position > $1 ORDER BY position LIMIT ${MOST_AT_ONCE}`,
          [changes.at(-1)?.position ?? after],
        );
        changes.push(...rows);
        if (rows.length < MOST_AT_ONCE) return { changes, position: changes.at(-1)?.position ?? after };
      }
    },
    async append(names) {
      const client = await pool.connect();
      let isSound = false;
      try {
        await client.query('BEGIN');
        // One after the other: who reads up to a position must never miss one below it that is committed later.
        await client.query(`SELECT pg_advisory_xact_lock(hashtext('jinxin change journal'))`);
        let position = 0;
        for (let from = 0; from < names.length; from += NAMES_AN_ENTRY) {
          const { rows } = await client.query<{ position: number }>(
            `INSERT INTO change_journal (position, names)
             SELECT greatest(floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint, coalesce(max(position), 0) + 1), $1
               FROM change_journal
             RETURNING position::float8 AS position`,
            [names.slice(from, from + NAMES_AN_ENTRY)],
          );
          position = rows[0]?.position ?? position;
        }
        await client.query(`DELETE FROM change_journal WHERE announced_at < now() - interval '${KEPT}'`);
        await client.query('COMMIT');
        isSound = true;
        return position;
      } finally {
        // Closed rather than rolled back: whatever state the connection is in, nobody gets it again.
        client.release(!isSound);
      }
    },
  };
}
