/** The platform's PostgreSQL as an adapter: tables made when first needed, and every failure one of the four faults. */
import type { Pool } from 'pg';
import pg from 'pg';
import type { Adapter, LegacyFault, LegacyRow } from '../adapter.ts';
import { LegacyError } from '../adapter.ts';

export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** `prepare` makes the tables; it is tried again until it has succeeded once, so a store may come up after us. */
export function createStore(pool: Pool, system: string, prepare: () => Promise<void>): Adapter<Statement> {
  return {
    system,
    protocol: 'sql',
    async call(statement, { signal }) {
      try {
        await prepare();
        return { rows: await ask(pool, statement, signal), asOf: null };
      } catch (error) {
        throw new LegacyError(
          signal.aborted ? 'timeout' : toFault(error),
          system,
          'did not answer a statement',
          error,
        );
      }
    },
    close: () => pool.end(),
  };
}

/** An abort cuts the connection, which ends the statement on the wire and leaves nothing to wait for when we close. */
async function ask(
  pool: Pool,
  { text, values }: Statement,
  signal: AbortSignal,
): Promise<readonly LegacyRow[]> {
  const client = await pool.connect();
  let isReleased = false;
  const release = (destroy: boolean) => {
    if (!isReleased) client.release(destroy);
    isReleased = true;
  };
  const onAbort = () => release(true);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    signal.throwIfAborted();
    return (await client.query<Record<string, unknown>>(text, [...values])).rows;
  } catch (error) {
    // An error that the server told leaves a sound connection; anything else does not.
    release(!(error instanceof pg.DatabaseError));
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
    release(false);
  }
}

/** Runs `work` until it has succeeded once; calls that come meanwhile share the attempt under way. */
export function createOnce(work: () => Promise<void>): () => Promise<void> {
  let attempt: Promise<void> | null = null;
  return () => {
    attempt ??= work().catch((error: unknown) => {
      attempt = null;
      throw error;
    });
    return attempt;
  };
}

/** SQLSTATE classes: 57014 is our own statement timeout, 28 and 42501 a refusal, 08, 53 and 57 a server in trouble. */
function toFault(error: unknown): LegacyFault {
  if (!(error instanceof pg.DatabaseError) || error.code === undefined) return 'unavailable';
  if (error.code === '57014') return 'timeout';
  if (error.code.startsWith('28') || error.code === '42501') return 'refused';
  return /^(08|53|57)/.test(error.code) ? 'unavailable' : 'malformed';
}
