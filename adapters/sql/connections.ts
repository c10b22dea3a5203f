/** Connections kept open between calls. Ours, since the drivers' own pools cannot be left in the middle of connecting. */
import type { LegacyRow } from '../adapter.ts';
import type { SqlRequest } from './request.ts';

export interface SqlConnection {
  /** False once it was cut from either side. */
  isOpen(): boolean;
  /** Whether an answer to the last statement has begun to come. */
  hasAnswered(): boolean;
  /** Rejects with the driver's error. */
  run(request: SqlRequest): Promise<readonly LegacyRow[]>;
  /** Cuts it off at once; a statement under way is called off. */
  cut(): void;
  /** Says good-bye. */
  end(): void;
}

/** Opens a connection, or rejects with the driver's error; an abort cuts it off half-way. */
export type OpenConnection = (signal: AbortSignal) => Promise<SqlConnection>;

export interface Connections {
  /** An open connection, as soon as there is a place. Rejects with the signal's reason, or as `open` does. */
  take(signal: AbortSignal): Promise<{ readonly connection: SqlConnection; readonly isReused: boolean }>;
  /** Every connection that was taken comes back, working or not. */
  giveBack(connection: SqlConnection): void;
  /** After one of them was found dead in the pool the others are not trusted either. */
  forgetIdle(): void;
  close(): void;
}

export function createConnections({
  open,
  max,
  idleMs,
}: {
  open: OpenConnection;
  max: number;
  idleMs: number;
}): Connections {
  const idle = new Map<SqlConnection, NodeJS.Timeout>();
  const taken = new Set<SqlConnection>();
  const waiting: (() => void)[] = [];
  let isClosed = false;
  let places = max;

  function place(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (places > 0) {
      places -= 1;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        waiting.splice(waiting.indexOf(onPlace), 1);
        reject(signal.reason as Error);
      };
      const onPlace = () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      waiting.push(onPlace);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  function freePlace(): void {
    const next = waiting.shift();
    if (next) next();
    else places += 1;
  }

  function takeIdle(): SqlConnection | null {
    for (const [connection, timer] of [...idle].reverse()) {
      clearTimeout(timer);
      idle.delete(connection);
      if (connection.isOpen()) return connection;
    }
    return null;
  }

  function drop(connection: SqlConnection): void {
    clearTimeout(idle.get(connection));
    idle.delete(connection);
    connection.end();
  }

  return {
    async take(signal) {
      await place(signal);
      try {
        const reused = takeIdle();
        const connection = reused ?? (await open(signal));
        taken.add(connection);
        return { connection, isReused: reused !== null };
      } catch (error) {
        freePlace();
        throw error;
      }
    },
    giveBack(connection) {
      taken.delete(connection);
      if (connection.isOpen() && !isClosed) {
        idle.set(connection, setTimeout(() => drop(connection), idleMs).unref());
      } else connection.cut();
      freePlace();
    },
    forgetIdle() {
      for (const connection of idle.keys()) drop(connection);
    },
    close() {
      isClosed = true;
      for (const connection of idle.keys()) drop(connection);
      for (const connection of taken) connection.cut();
    },
  };
}
