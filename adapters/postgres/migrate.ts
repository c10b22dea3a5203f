import type { Pool } from 'pg';

export interface Migration {
  readonly id: string;
  readonly sql: string;
}

/**
 * Applies each migration of `scope` once, in their order, in one transaction under a lock, so that processes that start
 * together do not race. What was applied stands in `public.jinxin_migration`.
 */
export async function migrate(pool: Pool, scope: string, migrations: readonly Migration[]): Promise<void> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('BEGIN');
    await client.query(`SELECT pg_advisory_xact_lock(hashtext('jinxin migrations'))`);
    await client.query(
      `CREATE TABLE IF NOT EXISTS public.jinxin_migration (
         scope text, id text, applied_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (scope, id))`,
    );
    const { rows } = await client.query<{ id: string }>(
      'SELECT id FROM public.jinxin_migration WHERE scope = $1',
      [scope],
    );
    const applied = new Set(rows.map(({ id }) => id));
    for (const { id, sql } of migrations) {
      if (applied.has(id)) continue;
      await client.query(sql);
      await client.query('INSERT INTO public.jinxin_migration (scope, id) VALUES ($1, $2)', [scope, id]);
    }
    await client.query('COMMIT');
  } catch (error) {
    broken = error instanceof Error ? error : new Error(String(error));
    throw error;
  } finally {
    client.release(broken);
  }
}
