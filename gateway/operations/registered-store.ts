/**
 * Which operations are registered for whom, in the platform's PostgreSQL. Keyed by consumer first, so that it shards like
 * everything else. Every change moves a version, by which the gateways see that there is something new to read.
 */
import { createHash } from 'node:crypto';
import type { Pool, QueryConfig, QueryResultRow } from 'pg';

export const REGISTERED_MIGRATIONS = [
  {
    id: '001-registered-operations',
    sql: `CREATE SCHEMA IF NOT EXISTS gateway;
          CREATE TABLE gateway.consumer (
            consumer text PRIMARY KEY,
            registered_only boolean NOT NULL
          );
          CREATE TABLE gateway.registered_operation (
            consumer text NOT NULL,
            id text NOT NULL,
            query text NOT NULL,
            name text,
            registered_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (consumer, id)
          );
          CREATE TABLE gateway.registered_version (
            single boolean PRIMARY KEY DEFAULT true CHECK (single),
            version bigint NOT NULL
          );
          INSERT INTO gateway.registered_version (version) VALUES (0)`,
  },
] as const;

const LONGEST_READ_MS = 1_000;

export interface RegisteredOperation {
  readonly consumer: string;
  /** SHA-256 of the text, in hexadecimal digits. */
  readonly id: string;
  readonly query: string;
  /** What the officer sees of it: the name of its first operation. */
  readonly name: string | null;
}

export interface Registry {
  readonly version: string;
  /** Consumers that may run nothing else. */
  readonly held: ReadonlySet<string>;
  /** Consumer → id → text. */
  readonly operations: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

export function operationId(query: string): string {
  return createHash('sha256').update(query).digest('hex');
}

/** Null when nothing has changed since `version`. Rejects when the store cannot be read. */
export async function readRegistry(pool: Pool, version: string | null): Promise<Registry | null> {
  // The driver's own limit: that of the server is not heard through a network that swallows everything.
  const read = <Row extends QueryResultRow>(text: string) =>
    pool.query<Row>({ text, query_timeout: LONGEST_READ_MS } as QueryConfig);
  const now = await read<{ version: string }>('SELECT version FROM gateway.registered_version');
  const current = now.rows[0]?.version ?? '0';
  if (current === version) return null;
  // Read after the version: what was changed in between is read once more, never missed.
  const [consumers, rows] = await Promise.all([
    read<{ consumer: string }>('SELECT consumer FROM gateway.consumer WHERE registered_only'),
    read<{ consumer: string; id: string; query: string }>(
      'SELECT consumer, id, query FROM gateway.registered_operation',
    ),
  ]);
  const operations = new Map<string, Map<string, string>>();
  for (const { consumer, id, query } of rows.rows) {
    const own = operations.get(consumer) ?? new Map<string, string>();
    own.set(id, query);
    operations.set(consumer, own);
  }
  return { version: current, held: new Set(consumers.rows.map(({ consumer }) => consumer)), operations };
}

/** Registers all of them or none. `registeredOnly`: from then on the consumer may run nothing else; null leaves that as it is. */
export async function registerOperations(
  pool: Pool,
  consumer: string,
  operations: readonly Pick<RegisteredOperation, 'query' | 'name'>[],
  registeredOnly: boolean | null,
): Promise<void> {
  await change(pool, async (query) => {
    for (const { query: text, name } of operations)
      await query(
        `INSERT INTO gateway.registered_operation (consumer, id, query, name) VALUES ($1, $2, $3, $4)
         ON CONFLICT (consumer, id) DO NOTHING`,
        [consumer, operationId(text), text, name],
      );
    if (registeredOnly === null) return;
    await query(
      `INSERT INTO gateway.consumer (consumer, registered_only) VALUES ($1, $2)
       ON CONFLICT (consumer) DO UPDATE SET registered_only = EXCLUDED.registered_only`,
      [consumer, registeredOnly],
    );
  });
}

/** How many of them were registered until now. */
export async function withdrawOperations(
  pool: Pool,
  consumer: string,
  ids: readonly string[],
): Promise<number> {
  let withdrawn = 0;
  await change(pool, async (query) => {
    withdrawn = await query(
      'DELETE FROM gateway.registered_operation WHERE consumer = $1 AND id = ANY ($2::text[])',
      [consumer, ids],
    );
  });
  return withdrawn;
}

export async function listOperations(
  pool: Pool,
  consumer: string | null,
): Promise<
  readonly (Omit<RegisteredOperation, 'query'> & { registeredAt: Date; registeredOnly: boolean })[]
> {
  const { rows } = await pool.query<{
    consumer: string;
    id: string;
    name: string | null;
    registered_at: Date;
    registered_only: boolean;
  }>(
    `SELECT o.consumer, o.id, o.name, o.registered_at, coalesce(c.registered_only, false) AS registered_only
     FROM gateway.registered_operation o LEFT JOIN gateway.consumer c USING (consumer)
     WHERE $1::text IS NULL OR o.consumer = $1 ORDER BY o.consumer, o.registered_at, o.id`,
    [consumer],
  );
  return rows.map(({ registered_at, registered_only, ...row }) => ({
    ...row,
    registeredAt: registered_at,
    registeredOnly: registered_only,
  }));
}

/** One transaction, at the end of which the version has moved. */
async function change(
  pool: Pool,
  work: (query: (text: string, values: unknown[]) => Promise<number>) => Promise<void>,
): Promise<void> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('BEGIN');
    await work(async (text, values) => (await client.query(text, values)).rowCount ?? 0);
    // The row's lock puts changes in an order: no version is seen before what it stands for.
    await client.query('UPDATE gateway.registered_version SET version = version + 1');
    await client.query('COMMIT');
  } catch (error) {
    broken = error instanceof Error ? error : new Error(String(error));
    throw error;
  } finally {
    client.release(broken);
  }
}
