/** The exchange database's own accounts: read-only, one for each reader. Roles belong to the whole server, so their names hold the database's. */
import { randomBytes } from 'node:crypto';
import type pg from 'pg';

export interface ReadOnlyRole {
  readonly name: string;
  readonly password: string;
}

export async function createReadOnlyRole(control: pg.Client, name: string): Promise<ReadOnlyRole> {
  const password = randomBytes(12).toString('hex');
  const { rowCount } = await control.query('SELECT FROM pg_roles WHERE rolname = $1', [name]);
  await control.query(`${rowCount === 0 ? 'CREATE' : 'ALTER'} ROLE "${name}" LOGIN PASSWORD '${password}'`);
  return { name, password };
}

/** Views are made anew with each fault, and what is new is nobody's to read. */
export async function grantReading(control: pg.Client, roles: readonly ReadOnlyRole[]): Promise<void> {
  for (const { name } of roles)
    await control.query(`GRANT SELECT ON ALL TABLES IN SCHEMA public TO "${name}"`);
}

/** From now on logins are refused, and those who are in are thrown out. */
export async function refuseLogins(control: pg.Client, { name }: ReadOnlyRole): Promise<void> {
  await control.query(`ALTER ROLE "${name}" NOLOGIN`);
  await control.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1', [name]);
}

export async function allowLogins(control: pg.Client, { name }: ReadOnlyRole): Promise<void> {
  await control.query(`ALTER ROLE "${name}" LOGIN`);
}

export async function dropRole(control: pg.Client, role: ReadOnlyRole): Promise<void> {
  await refuseLogins(control, role);
  await control.query(`DROP OWNED BY "${role.name}"; DROP ROLE "${role.name}"`);
}
