/** MariaDB (and MySQL as old as 5.6) as an exchange database. Plain TCP: where the line is not trusted, a tunnel is in front. */
import { isNativeError } from 'node:util/types';
import mysql from 'mysql2';
import type { Adapter, LegacyRow } from '../adapter.ts';
import { LegacyError } from '../adapter.ts';
import { createSqlAdapter } from './adapter.ts';
import type { SqlConnection } from './connections.ts';
import { fromGbkInLatin1 } from './gbk.ts';
import { GuardedSocket } from './mariadb-socket.ts';
import type { SqlLimits, SqlOptions, SqlRequest } from './request.ts';
import { SQL_LIMITS, WireError } from './request.ts';

export interface MariadbOptions extends SqlOptions {
  /** Columns of a reply, by the names in it, whose latin1 is GBK in truth. */
  readonly gbkInLatin1?: readonly string[];
}

/** Dates, times, bigint and decimals come as the text that the server wrote. */
export function createMariadbAdapter({
  limits,
  gbkInLatin1 = [],
  ...options
}: MariadbOptions): Adapter<SqlRequest> {
  const all: SqlLimits = { ...SQL_LIMITS, ...limits };
  const decode = (row: LegacyRow): LegacyRow => decodeColumns(row, gbkInLatin1);
  return createSqlAdapter(
    { open: (signal) => openConnection(options.url, all, decode, signal), toFault: toMariadbFault },
    { ...options, limits: all },
  );
}

async function openConnection(
  url: string,
  limits: SqlLimits,
  decode: (row: LegacyRow) => LegacyRow,
  signal: AbortSignal,
): Promise<SqlConnection> {
  signal.throwIfAborted();
  const { hostname, port, username, password, pathname } = new URL(url);
  const socket = new GuardedSocket(limits.maxBytes);
  socket.setNoDelay(true);
  socket.connect(Number(port || 3306), hostname);
  const connection = mysql.createConnection({
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: decodeURIComponent(pathname.slice(1)),
    charset: 'utf8mb4',
    stream: (() => socket) as never,
    dateStrings: true,
    supportBigNumbers: true,
    bigNumberStrings: true,
    // No code made from column names, and no file of ours for the asking.
    disableEval: true,
    flags: ['-LOCAL_FILES'],
    maxPreparedStatements: 100,
  });
  let isOpen = true;
  const cut = () => {
    isOpen = false;
    socket.destroy();
  };
  // Also of idle connections: they are noticed when they are next taken.
  connection.on('error', () => (isOpen = false));
  socket.on('close', () => (isOpen = false));
  signal.addEventListener('abort', cut, { once: true });
  try {
    await settled(socket, (done) => connection.connect(done));
    await settled(socket, (done) =>
      connection.query(`SET SESSION max_statement_time = ${limits.statementMs / 1000}`, done),
    );
    await settled(socket, (done) => connection.query('SET SESSION TRANSACTION READ ONLY', done));
  } catch (error) {
    cut();
    throw error;
  } finally {
    signal.removeEventListener('abort', cut);
  }
  return {
    isOpen: () => isOpen && !socket.destroyed,
    hasAnswered: () => socket.hasHeard(),
    async run({ text, values }) {
      socket.begin();
      const rows = await settled<unknown>(socket, (done) =>
        // Prepared: values never stand in the text, so no character set can make them part of it.
        connection.execute({ sql: text, values: [...values] as never }, done as never),
      );
      if (!Array.isArray(rows)) throw new WireError('answered no rows');
      return (rows as LegacyRow[]).map((row) => decode({ ...row }));
    },
    cut,
    end() {
      isOpen = false;
      connection.end(() => socket.destroy());
      // A server that does not answer to a good-bye is left without one.
      setTimeout(() => socket.destroy(), 1_000).unref();
    },
  };
}

/** What the driver calls back, or what the socket ended with: the driver does not pass on every end. */
function settled<T>(
  socket: GuardedSocket,
  start: (done: (error: Error | null, value?: T) => void) => void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onEnd = () =>
      finish(socket.errored ?? Object.assign(new Error('Connection terminated'), { code: 'ECONNRESET' }));
    const finish = (error: Error | null, value?: T) => {
      socket.off('close', onEnd);
      // The socket's own error says more than what the driver makes of it.
      const cause = socket.errored instanceof WireError ? socket.errored : error;
      if (cause) reject(cause);
      else resolve(value as T);
    };
    socket.once('close', onEnd);
    if (socket.destroyed) onEnd();
    else start(finish);
  });
}

function decodeColumns(row: LegacyRow, columns: readonly string[]): LegacyRow {
  const decoded = columns.flatMap((column) => {
    const value = row[column];
    return typeof value === 'string' ? [[column, fromGbkInLatin1(value)] as const] : [];
  });
  return decoded.length === 0 ? row : { ...row, ...Object.fromEntries(decoded) };
}

const REFUSED = new Set([1044, 1045, 1049, 1130, 1142, 1143, 1227, 1698, 1820, 1862, 3118, 4151]);
const TOO_LONG = new Set([1317, 1969, 3024]);
const NOT_READY = new Set([1040, 1053, 1129, 1203, 1205, 1213, 1226, 1927]);
/** Columns, tables, views or functions that are not as agreed; characters that cannot be converted. */
const DRIFTED = new Set([1054, 1064, 1146, 1109, 1305, 1356, 1366, 1267, 1300, 1977]);

/** The server's own error numbers → fault. Its message stays behind: it may quote values. */
export function toMariadbFault(error: unknown, system: string): LegacyError | null {
  if (!isNativeError(error)) return null;
  const { errno, code, sqlState } = error as { errno?: unknown; code?: unknown; sqlState?: unknown };
  // Only what came from the server has a state; a system's error has a number as well.
  if (typeof errno !== 'number' || typeof sqlState !== 'string' || !/^[0-9A-Z]{5}$/.test(sqlState))
    return null;
  if (REFUSED.has(errno)) return new LegacyError('refused', system, `refused our account (${errno})`);
  if (TOO_LONG.has(errno))
    return new LegacyError('timeout', system, 'called off the statement for its length');
  if (NOT_READY.has(errno)) return new LegacyError('unavailable', system, `is not ready (${errno})`);
  if (DRIFTED.has(errno)) return new LegacyError('malformed', system, `has changed its form (${errno})`);
  // A number that no server has was garbled on the way.
  if (typeof code !== 'string')
    return new LegacyError('malformed', system, 'answered an error that cannot be read');
  return new LegacyError('refused', system, `refused the statement (${errno})`);
}
