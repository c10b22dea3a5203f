/** What is the same for every SQL database: take a connection, run one statement, leave at the abort, name the fault. */
import { isNativeError } from 'node:util/types';
import type { Adapter, LegacyRow } from '../adapter.ts';
import { isLegacyError, LegacyError } from '../adapter.ts';
import type { OpenConnection, SqlConnection } from './connections.ts';
import { createConnections } from './connections.ts';
import type { SqlLimits, SqlRequest } from './request.ts';
import { WireError } from './request.ts';

export interface SqlDriver {
  readonly open: OpenConnection;
  /** The fault that one of the driver's errors is; null when it is none that the server sent. */
  toFault(error: unknown, system: string): LegacyError | null;
}

export function createSqlAdapter(
  driver: SqlDriver,
  {
    system,
    poolSize,
    limits,
  }: { readonly system: string; readonly poolSize: number; readonly limits: SqlLimits },
): Adapter<SqlRequest> {
  const connections = createConnections({ open: driver.open, max: poolSize, idleMs: limits.idleMs });

  let isClosed = false;

  async function run(request: SqlRequest, signal: AbortSignal): Promise<readonly LegacyRow[]> {
    for (;;) {
      const { connection, isReused } = await connections.take(signal);
      try {
        return await untilAborted(connection, request, signal);
      } catch (error) {
        // Where anything went wrong nothing else is asked: what is left of this answer would be taken for the next one's.
        connection.cut();
        // It died in the pool, before this statement: that is no answer to it, and a statement that reads may be sent again.
        const isStale =
          isReused && !connection.hasAnswered() && toLegacyError(error, signal).fault === 'unavailable';
        if (!isStale) throw error;
        connections.forgetIdle();
      } finally {
        connections.giveBack(connection);
      }
    }
  }

  function toLegacyError(error: unknown, signal: AbortSignal): LegacyError {
    if (signal.aborted)
      return new LegacyError('timeout', system, 'did not answer before the deadline', signal.reason);
    if (isLegacyError(error)) return error;
    if (error instanceof WireError) return new LegacyError('malformed', system, error.message);
    const fault = driver.toFault(error, system);
    if (fault) return fault;
    if (isConnectionLost(error))
      return new LegacyError('unavailable', system, 'was not reached or broke off', error);
    // Not the cause: a driver's message may quote what it could not read.
    return new LegacyError('malformed', system, 'answered in a way that its protocol does not know');
  }

  return {
    system,
    protocol: 'sql',
    async call(request, { signal }) {
      if (isClosed) throw new LegacyError('unavailable', system, 'is no longer asked');
      try {
        const rows = await run(request, signal);
        if (rows.length > limits.maxRows)
          throw new LegacyError('malformed', system, 'answered more rows than are read of it');
        return { rows, asOf: null };
      } catch (error) {
        throw toLegacyError(error, signal);
      }
    },
    close() {
      isClosed = true;
      connections.close();
      return Promise.resolve();
    },
  };
}

/** Rejects at the abort and cuts the connection, whatever the driver makes of that. */
async function untilAborted(
  connection: SqlConnection,
  request: SqlRequest,
  signal: AbortSignal,
): Promise<readonly LegacyRow[]> {
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => {
      connection.cut();
      reject(signal.reason as Error);
    };
  });
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([connection.run(request), aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

const NETWORK = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'PROTOCOL_CONNECTION_LOST',
]);

function isConnectionLost(error: unknown): boolean {
  if (!isNativeError(error)) return false;
  // An attempt at each address of a name fails with one error for all of them.
  const { code, errors } = error as { code?: unknown; errors?: unknown };
  if (Array.isArray(errors)) return errors.every(isConnectionLost);
  return (typeof code === 'string' && NETWORK.has(code)) || error.message.startsWith('Connection terminated');
}
