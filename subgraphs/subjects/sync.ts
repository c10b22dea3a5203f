/**
 * Keeps the index filled from the register's exchange view: in the background, in the order of S_EXT_SEQUENCE, one
 * transaction per batch that moves the cursor with the data, so that what was read is never read half.
 */
import type { Pool, PoolClient } from 'pg';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Adapter, CallContext } from '../../adapters/adapter.ts';
import type { Clock } from '../../adapters/clock.ts';
import type { Repeating } from '../../adapters/repeat.ts';
import { startRepeating } from '../../adapters/repeat.ts';
import type { SubjectIds } from '../../schema/subject-id.ts';
import type { AnnounceChange } from '../announcements.ts';
import type { DepartmentObserver } from '../define.ts';
import { applyBatch, findTouched } from './batch.ts';
import type { RegisterState } from './source.ts';
import {
  assertMostlySound,
  CHANGES_AFTER,
  EXCHANGE,
  REGISTER_STATE,
  toRegisterChange,
  toRegisterState,
} from './source.ts';
import type { Statement } from '../../adapters/postgres/store.ts';

const FEED = 'registrations';
const BATCH = 3_000;
/** The exchange is asked by a job at night or at start, not by a person who waits. */
const READ_MS = 30_000;
/** Until the index has been filled for the first time everything is unknown, so it is tried again soon. */
const RETRY_MS = 500;

export interface SyncOptions {
  readonly exchange: Adapter<Statement>;
  readonly pool: Pool;
  /** Makes the tables when they are not there; called before every pass until it has succeeded. */
  readonly prepare: () => Promise<void>;
  readonly everyMs: number;
  readonly subjectIds: SubjectIds;
  readonly clock: Clock;
  readonly observer: Pick<DepartmentObserver, 'quarantined'>;
  /** Told of whom the index says something else, when it does; null: of anybody. */
  readonly announce: AnnounceChange;
  readonly log: Logger;
}

const cursorSchema = z.object({
  sequence: z.coerce.number(),
  anchor: z.string().nullable(),
  generation: z.number(),
  is_whole: z.boolean(),
});
type Cursor = z.infer<typeof cursorSchema>;

/** Passes one after the other; an index that is not up to date yet is tried again soon. */
export function startSync(options: SyncOptions): Repeating {
  const { clock, log, everyMs } = options;
  return startRepeating(async (stop) => {
    try {
      await syncOnce(options, stop);
      return everyMs;
    } catch (error) {
      if (!stop.aborted) log.warn({ err: error }, 'the subject index could not be brought up to date');
      return Math.min(everyMs, RETRY_MS);
    }
  }, clock);
}

/** One pass: everything that the register has published since the last one. Rejects when it could not be finished. */
export async function syncOnce(options: SyncOptions, signal: AbortSignal): Promise<void> {
  await options.prepare();
  const start = await readCursor(options, signal);
  let { cursor } = start;
  const isFromTheStart = cursor.sequence === 0;
  let batch = await readBatch(options, cursor.sequence, signal);
  for (;;) {
    const { changes, isEnd } = batch;
    const last = changes.at(-1);
    const next: Cursor = last ? { ...cursor, sequence: last.sequence, anchor: last.anchor } : cursor;
    const expected = cursor;
    // The next batch is read and understood while the database writes this one.
    const following = isEnd ? null : readBatch(options, next.sequence, signal);
    // Awaited below; should the transaction fail first, that is the failure to be told.
    following?.catch(() => undefined);
    const applied = await inTransaction(options.pool, async (client) => {
      // Another replica may be filling the same index: whoever finds the cursor moved leaves the rest to it.
      const { rows: held } = await client.query(
        'SELECT sequence, generation FROM subjects.fill WHERE feed = $1 FOR UPDATE',
        [FEED],
      );
      const { sequence, generation } = z
        .object({ sequence: z.coerce.number(), generation: z.number() })
        .parse(held[0]);
      if (generation !== expected.generation || sequence !== expected.sequence) return null;
      const touched = isFromTheStart ? null : await findTouched(client, changes);
      const quarantined = await applyBatch(
        client,
        FEED,
        changes,
        next.generation,
        new Date(options.clock.now()),
      );
      await client.query(
        'UPDATE subjects.fill SET sequence = $2, anchor = $3, generation = $4, is_whole = is_whole OR $5 WHERE feed = $1',
        [FEED, next.sequence, next.anchor, next.generation, isEnd],
      );
      if (isEnd && !expected.is_whole) await forgetOlder(client, next.generation);
      if (isEnd) await finish(client, start.register);
      return { quarantined, touched };
    });
    if (applied === null) return;
    if (applied.quarantined > 0) options.observer.quarantined(EXCHANGE, applied.quarantined);
    // While it is filled everything changes: said once, at the end.
    if (applied.touched !== null) options.announce(applied.touched);
    else if (isEnd) options.announce(null);
    if (following === null) return;
    cursor = next;
    batch = await following;
  }
}

/** The changes after a sequence number, at most BATCH of them. */
async function readBatch(options: SyncOptions, after: number, signal: AbortSignal) {
  const rows = await ask(options, { text: CHANGES_AFTER, values: [after, BATCH] }, signal);
  const changes = rows.map((row) => toRegisterChange(row, options.subjectIds));
  assertMostlySound(changes);
  return { changes, isEnd: rows.length < BATCH };
}

/** Where to go on; from the beginning, in a new generation, when the register is not the one that was read before. */
async function readCursor(
  options: SyncOptions,
  signal: AbortSignal,
): Promise<{ readonly cursor: Cursor; readonly register: RegisterState }> {
  const { rows } = await options.pool.query(
    'SELECT sequence, anchor, generation, is_whole FROM subjects.fill WHERE feed = $1',
    [FEED],
  );
  const cursor = cursorSchema.parse(rows[0]);
  const register = toRegisterState(
    await ask(options, { text: REGISTER_STATE, values: [cursor.sequence] }, signal),
  );
  const isSame =
    register.last >= cursor.sequence && (register.anchor === null || register.anchor === cursor.anchor);
  if (isSame) return { cursor, register };
  options.log.warn('the register was built anew: the subject index is read from the beginning');
  await options.pool.query(
    `UPDATE subjects.fill SET sequence = 0, anchor = NULL, generation = generation + 1, is_whole = false
     WHERE feed = $1 AND generation = $2`,
    [FEED, cursor.generation],
  );
  return readCursor(options, signal);
}

/** After a register that was built anew has been read to its end: whoever is not in it any more. */
async function forgetOlder(client: PoolClient, generation: number): Promise<void> {
  await client.query(
    `WITH gone AS (DELETE FROM subjects.subject WHERE generation < $1 RETURNING subject_id),
          unnamed AS (DELETE FROM subjects.person WHERE named_by IN (SELECT subject_id FROM gone))
     DELETE FROM subjects.name WHERE subject_id IN (SELECT subject_id FROM gone)`,
    [generation],
  );
}

/** The end of a pass. An empty register is a broken one: an index without anybody in it never counts as filled. */
async function finish(client: PoolClient, { asOf }: RegisterState): Promise<void> {
  await client.query(
    `UPDATE subjects.fill SET as_of = $2, filled_at = coalesce(filled_at, now())
     WHERE feed = $1 AND EXISTS (SELECT 1 FROM subjects.subject)`,
    [FEED, asOf],
  );
}

async function ask({ exchange, clock }: SyncOptions, statement: Statement, signal: AbortSignal) {
  const context: CallContext = { signal, deadline: clock.now() + READ_MS };
  return (await exchange.call(statement, context)).rows;
}

async function inTransaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let failure: unknown;
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    failure = error;
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  } finally {
    // A connection that failed is not handed to the next one.
    client.release(failure !== undefined);
  }
}
