import pg from 'pg';
import type { Logger } from 'pino';

export interface PoolOptions {
  readonly url: string;
  readonly max: number;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  /** Most milliseconds of one statement, 10 s by default. */
  readonly statementTimeoutMs?: number;
  readonly log: Logger;
}

/** A pool on the platform's PostgreSQL. Connects when first used; an idle connection that breaks is logged, not thrown. */
export function createPool({
  url,
  max,
  applicationName,
  statementTimeoutMs = 10_000,
  log,
}: PoolOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max,
    application_name: applicationName,
    statement_timeout: statementTimeoutMs,
    connectionTimeoutMillis: 3_000,
    idleTimeoutMillis: 30_000,
  });
  pool.on('error', (error) => log.warn({ err: error }, 'an idle database connection broke'));
  return pool;
}
