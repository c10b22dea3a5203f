/** What both kinds of exchange database are asked, and how much they may answer. */

/** One statement that only reads. `values` fill its placeholders ($1, $2 … for PostgreSQL, ? for MariaDB) on the server. */
export interface SqlRequest {
  readonly text: string;
  readonly values: readonly unknown[];
}

export interface SqlLimits {
  /** More rows or bytes than this are not an answer to any question of ours: the reply is malformed rather than cut. */
  readonly maxRows: number;
  readonly maxBytes: number;
  /** The server's own limit of one statement: it holds when nobody is there any more to call it off. */
  readonly statementMs: number;
  /** A connection that nobody used for so long is closed. */
  readonly idleMs: number;
}

export interface SqlOptions {
  /** Name of the legacy system, as it stands in errors and metrics. */
  readonly system: string;
  /** postgres://user:password@host:port/database or mysql://… */
  readonly url: string;
  readonly poolSize: number;
  readonly limits?: Partial<SqlLimits>;
}

export const SQL_LIMITS: SqlLimits = {
  maxRows: 50_000,
  maxBytes: 16 * 1024 * 1024,
  statementMs: 10_000,
  idleMs: 30_000,
};

/** Bytes or characters that the protocol does not have: what came with them cannot be trusted. Says nothing of their content. */
export class WireError extends Error {
  override readonly name = 'WireError';
}
