/**
 * What time does to consents. Every step is one statement that claims its rows by changing them, so that several processes
 * may run it at the same moment: whoever comes second finds them changed, and no notice is written twice.
 */
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import type { Clock } from '../../adapters/clock.ts';
import type { Repeating } from '../../adapters/repeat.ts';
import { startRepeating } from '../../adapters/repeat.ts';

export interface PurgePolicy {
  /** Days for which what was agreed is kept after the data had to be deleted; after that only digests and signature are. */
  readonly retentionDays: number;
  /** Days for which a draft that nobody decided is kept after it lapsed. */
  readonly lapsedDraftDays: number;
}

/** Rows that each step changed. */
export interface Purged {
  readonly expired: number;
  readonly deletionsDue: number;
  readonly drafts: number;
  readonly contents: number;
  readonly notices: number;
}

const DAY_MS = 86_400_000;
/** A request's content is compared for longer than a repetition of it counts as the same. */
const REQUEST_DAYS = 32;
/** Of one statement: a longer one would be ended by the pool's limit, and begin again for ever. */
const MOST_ROWS = 5_000;

/** Runs every step once. `now` in ms. Rejects when the register cannot be reached. */
export async function purge(
  pool: Pool,
  { retentionDays, lapsedDraftDays }: PurgePolicy,
  now: number,
): Promise<Purged> {
  const at = new Date(now);
  const before = (days: number) => new Date(now - days * DAY_MS);
  const runOnce = async (text: string, values: readonly unknown[]) =>
    (await pool.query(text, [...values])).rowCount ?? 0;
  const run = async (text: string, values: readonly unknown[]) => {
    let total = 0;
    for (;;) {
      const rows = await runOnce(text, values);
      total += rows;
      if (rows < MOST_ROWS) return total;
    }
  };
  const some = (where: string, table = 'consent.artefact') =>
    `(SELECT subject_id, id FROM ${table} WHERE ${where} LIMIT ${MOST_ROWS} FOR UPDATE SKIP LOCKED)`;

  const expired = await run(
    `WITH ended AS (
       UPDATE consent.artefact SET expiry_noted_at = $1
       WHERE (subject_id, id) IN ${some(
         `deletion_noted_at IS NULL AND expiry_noted_at IS NULL AND expires_at <= $1 AND state <> 'REVOKED' AND subject_id <> '*'`,
       )} AND expiry_noted_at IS NULL RETURNING *)
     INSERT INTO consent.notice (subject_id, consumer, kind, consent_id, at)
       SELECT subject_id, consumer, 'EXPIRED', id, expires_at FROM ended`,
    [at],
  );
  // The end is the revocation, or the expiry when that came first.
  const deletionsDue = await run(
    `WITH due AS (
       UPDATE consent.artefact SET deletion_noted_at = $1
       WHERE (subject_id, id) IN ${some(
         `deletion_noted_at IS NULL AND subject_id <> '*'
            AND least(expires_at, coalesce(revoked_at, expires_at)) + data_life_days * interval '1 day' <= $1`,
       )} AND deletion_noted_at IS NULL RETURNING *)
     INSERT INTO consent.notice (subject_id, consumer, kind, consent_id, at)
       SELECT subject_id, consumer, 'DELETION_DUE', id, $1 FROM due`,
    [at],
  );
  const drafts = await run(
    `DELETE FROM consent.draft WHERE (subject_id, id) IN ${some(
      `(state = 'OPEN' AND open_until <= $1) OR (state <> 'OPEN' AND decided_at <= $2)`,
      'consent.draft',
    )}`,
    [before(lapsedDraftDays), before(retentionDays)],
  );
  const contents = await run(
    `WITH emptied AS (
       UPDATE consent.artefact SET purged_at = $1, items = '{}', written_items = '{}', refused_items = '{}', granted_by = '',
         period_from = NULL, period_until = NULL, text_zh = NULL, text_en = NULL, artefact = NULL, mark_salt = NULL
       WHERE (subject_id, id) IN ${some('deletion_noted_at <= $2 AND purged_at IS NULL')} AND purged_at IS NULL
       RETURNING subject_id, id),
     forgotten AS (DELETE FROM consent.use u USING emptied e WHERE u.subject_id = e.subject_id AND u.consent_id = e.id)
     SELECT FROM emptied`,
    [at, before(retentionDays)],
  );
  const notices = await runOnce('DELETE FROM consent.notice WHERE at <= $1', [before(retentionDays)]);
  await runOnce('DELETE FROM consent.request WHERE first_at <= $1', [before(REQUEST_DAYS)]);
  return { expired, deletionsDue, drafts, contents, notices };
}

/** Purges at once and then at intervals of the clock; a failure is logged, and tried again next time. */
export function startPurging(
  run: () => Promise<Purged>,
  { clock, everyMs, log }: { clock: Clock; everyMs: number; log: Logger },
): Repeating {
  return startRepeating(async (stop) => {
    await run().then(
      (purged) => log.info(purged, 'consents were gone through'),
      (error: unknown) => {
        if (!stop.aborted) log.warn({ err: error }, 'consents could not be gone through');
      },
    );
    return everyMs;
  }, clock);
}
