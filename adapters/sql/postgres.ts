/** PostgreSQL as an exchange database (前置机). Reads only: the session itself is read-only. */
import { EventEmitter } from 'node:events';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { isNativeError } from 'node:util/types';
import pg from 'pg';
import type { Adapter, LegacyRow } from '../adapter.ts';
import { LegacyError } from '../adapter.ts';
import { createSqlAdapter } from './adapter.ts';
import type { SqlConnection } from './connections.ts';
import type { FrameChecker } from './postgres-frames.ts';
import { createFrameChecker } from './postgres-frames.ts';
import type { SqlLimits, SqlOptions, SqlRequest } from './request.ts';
import { SQL_LIMITS, WireError } from './request.ts';

/**
 * Rows come as column name → null, boolean, number (int2, int4, float), parsed JSON, or else the text that the server
 * wrote: dates, times, bigint and numeric too, whose digits and days a JavaScript value would change.
 */
export function createPostgresAdapter({ limits, ...options }: SqlOptions): Adapter<SqlRequest> {
  const all: SqlLimits = { ...SQL_LIMITS, ...limits };
  return createSqlAdapter(
    { open: (signal) => openConnection(options.url, all, signal), toFault: toPostgresFault },
    { ...options, limits: all },
  );
}

const NATURAL = new Set<number>([pg.types.builtins.BOOL, pg.types.builtins.INT2, pg.types.builtins.INT4]);
for (const type of ['FLOAT4', 'FLOAT8', 'JSON', 'JSONB'] as const) NATURAL.add(pg.types.builtins[type]);

const types: pg.CustomTypesConfig = {
  getTypeParser: (oid: number) =>
    NATURAL.has(oid) ? (pg.types.getTypeParser(oid, 'text') as never) : (((text: string) => text) as never),
};

/** The driver's connection with our look at the bytes in front of its parser, on plain and TLS sockets alike. */
interface DriverConnection extends EventEmitter {
  stream: Duplex;
  attachListeners(stream: EventEmitter): void;
}

async function openConnection(url: string, limits: SqlLimits, signal: AbortSignal): Promise<SqlConnection> {
  const checker = createFrameChecker(limits.maxBytes);
  const client = new pg.Client({
    connectionString: url,
    application_name: 'jinxin',
    statement_timeout: limits.statementMs,
    options: '-c default_transaction_read_only=on',
  });
  const driver = (client as unknown as { connection?: DriverConnection }).connection;
  // Without it garbled bytes would stop the process: better not to start after an upgrade that moved it.
  if (typeof driver?.attachListeners !== 'function')
    throw new TypeError('pg has changed: its parser cannot be guarded');
  const attach = driver.attachListeners.bind(driver);
  driver.attachListeners = (stream) => attach(toChecked(stream as Duplex, checker));
  let isOpen = true;
  // Also of idle connections: they are noticed when they are next taken.
  client.on('error', () => (isOpen = false));
  client.on('end', () => (isOpen = false));
  const cut = () => {
    isOpen = false;
    driver.stream.destroy();
  };

  signal.throwIfAborted();
  signal.addEventListener('abort', cut, { once: true });
  try {
    await client.connect();
  } catch (error) {
    cut();
    throw error;
  } finally {
    signal.removeEventListener('abort', cut);
  }
  let isRunning = false;
  return {
    isOpen: () => isOpen && !driver.stream.destroyed,
    hasAnswered: () => checker.hasAnswered(),
    async run({ text, values }) {
      checker.begin();
      isRunning = true;
      // Extended, so that it is one statement, whatever it holds.
      const query = { text, values: [...values], types, queryMode: 'extended' };
      try {
        return (await client.query<LegacyRow>(query)).rows;
      } finally {
        isRunning = false;
      }
    },
    cut() {
      if (isRunning && isOpen) callOff(client);
      cut();
    },
    end() {
      isOpen = false;
      // What cannot be said good-bye to is gone already.
      client.end().catch(() => driver.stream.destroy());
    },
  };
}

function toChecked(stream: Duplex, checker: FrameChecker): EventEmitter {
  const checked = new EventEmitter();
  // The stream's error handler hands what is thrown here to whoever waits for the answer.
  const guarded = (work: () => void) => {
    try {
      work();
    } catch (error) {
      stream.destroy(error instanceof WireError ? error : new WireError('answered what cannot be read'));
    }
  };
  stream.on('data', (chunk: Buffer) =>
    guarded(() => {
      const messages = checker.push(chunk);
      if (messages) checked.emit('data', messages);
    }),
  );
  stream.on('end', () => {
    guarded(() => checker.end());
    checked.emit('end');
  });
  return checked;
}

const CANCEL_REQUEST = 80_877_102;

/** A server does not notice by itself that nobody waits any more. Best effort: its own limit of a statement remains. */
function callOff(client: pg.Client): void {
  const { processID, secretKey, host, port, ssl } = client as unknown as {
    processID: number | null;
    secretKey: number | null;
    host: string;
    port: number;
    ssl: unknown;
  };
  if (processID === null || secretKey === null || ssl || host.startsWith('/')) return;
  const message = Buffer.alloc(16);
  message.writeInt32BE(16, 0);
  message.writeInt32BE(CANCEL_REQUEST, 4);
  message.writeInt32BE(processID, 8);
  message.writeInt32BE(secretKey, 12);
  const socket = connect(port, host);
  socket.setTimeout(1_000, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.end(message);
}

/** SQLSTATE → fault. Its message stays behind: it may quote values. */
export function toPostgresFault(error: unknown, system: string): LegacyError | null {
  if (!(error instanceof pg.DatabaseError))
    return isNativeError(error) && error.message.startsWith('SASL')
      ? new LegacyError('malformed', system, 'did not keep to its login protocol')
      : null;
  const state = error.code ?? '';
  // What is no SQLSTATE was not said by the server.
  if (!/^[0-9A-Z]{5}$/.test(state))
    return new LegacyError('malformed', system, 'answered an error that cannot be read');
  if (state === '57014') return new LegacyError('timeout', system, 'called off the statement for its length');
  if (/^(08|53|57|55P03|40)/.test(state))
    return new LegacyError('unavailable', system, `is not ready (${state})`);
  if (/^(28|42501|0L|0P|3D)/.test(state))
    return new LegacyError('refused', system, `refused our account (${state})`);
  // Columns, views or functions that are not as agreed; characters that cannot be converted; damaged data.
  if (/^(42|3F|21|22|XX)/.test(state))
    return new LegacyError('malformed', system, `has changed its form (${state})`);
  return new LegacyError('refused', system, `refused the statement (${state})`);
}
