/** A real PostgreSQL from npm, for laptops and tests. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import type { Logger } from 'pino';
import type { PostgresHost } from './binaries.ts';
import { findPostgres, isOpenToAll } from './binaries.ts';
import { freePort } from './free-port.ts';
import type { RunningProcess } from './guarded-process.ts';
import { startGuarded } from './guarded-process.ts';

const run = promisify(execFile);

export interface EmbeddedPostgresOptions {
  /** Where the data stay between runs. Without it they lie in a temporary folder and are gone after `stop()`. */
  readonly directory?: string;
  /** 0, the default, takes a free one. */
  readonly port?: number;
  /** `sandbox` survives no power cut, and is the default for data that are thrown away; `full` is PostgreSQL's own. */
  readonly durability?: 'sandbox' | 'full';
  /** Told when the server ends though nobody stopped it. */
  readonly log?: Logger;
}

export interface EmbeddedPostgres {
  readonly port: number;
  /** Connection URL of a database, as its superuser. */
  url(database: string): string;
  /** Creates the database when it is not there; its URL. */
  createDatabase(name: string): Promise<string>;
  stop(): Promise<void>;
}

/** Listens on the loopback address only and asks for a random password. Ends with this process, however that ends. */
export async function startEmbeddedPostgres(
  options: EmbeddedPostgresOptions = {},
): Promise<EmbeddedPostgres> {
  const host = await findPostgres();
  for (let attempt = 1; ; attempt++) {
    const port = options.port || (await freePort());
    try {
      return await startOn(port, host, options);
    } catch (error) {
      // A port that was free may have been taken meanwhile.
      if (options.port || attempt === 3) throw error;
    }
  }
}

async function startOn(
  port: number,
  host: PostgresHost,
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  const { directory, durability = directory === undefined ? 'sandbox' : 'full', log } = options;
  const home = await makeHome(host, directory);
  try {
    const password = await initialise(host, home);
    const url = (database: string) =>
      `postgres://postgres:${password}@127.0.0.1:${port}/${encodeURIComponent(database)}`;
    const server = startServer(host, home, port, durability, directory === undefined);
    try {
      await untilReady(url('postgres'), server);
    } catch (error) {
      await server.stop();
      throw error;
    }
    let isStopping = false;
    server.exited.catch((error: unknown) => {
      if (!isStopping) log?.error({ err: error }, 'the embedded PostgreSQL ended');
    });
    return {
      port,
      url,
      async createDatabase(name) {
        await createDatabase(url('postgres'), name);
        return url(name);
      },
      async stop() {
        isStopping = true;
        await server.stop();
      },
    };
  } catch (error) {
    if (directory === undefined) await rm(home, { recursive: true, force: true });
    throw error;
  }
}

async function makeHome(
  { identity, temporary }: PostgresHost,
  directory: string | undefined,
): Promise<string> {
  const home =
    directory === undefined ? await mkdtemp(join(temporary, 'jinxin-postgres-')) : resolve(directory);
  await mkdir(home, { recursive: true, mode: 0o700 });
  if (identity.uid === undefined || identity.gid === undefined) return home;
  if (!(await isOpenToAll(dirname(home))))
    throw new Error(
      `PostgreSQL does not run as root, and an unprivileged user cannot reach ${home}: choose another folder`,
    );
  await chown(home, identity.uid, identity.gid);
  return home;
}

/** Makes the cluster unless it is there; the superuser's password. */
async function initialise({ binaries, identity }: PostgresHost, home: string): Promise<string> {
  const passwordFile = join(home, 'password');
  const isThere = await access(join(home, 'data/PG_VERSION')).then(
    () => true,
    () => false,
  );
  if (isThere) return readFile(passwordFile, 'utf8');
  const password = randomBytes(18).toString('base64url');
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (identity.uid !== undefined && identity.gid !== undefined)
    await chown(passwordFile, identity.uid, identity.gid);
  // Chinese characters must be letters to this locale: pg_trgm makes no trigrams of what is not alphanumeric.
  const letters = process.platform === 'darwin' ? 'en_US.UTF-8' : 'C.UTF-8';
  const flags = [
    '--username=postgres',
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--no-sync',
  ];
  await run(
    join(binaries, 'bin/initdb'),
    [`--pgdata=${join(home, 'data')}`, ...flags, '--locale=C', `--lc-ctype=${letters}`],
    { ...identity, env: serverEnvironment(binaries), cwd: home },
  );
  return password;
}

function serverEnvironment(binaries: string): Record<string, string | undefined> {
  return { PATH: process.env['PATH'], LC_ALL: 'C', LD_LIBRARY_PATH: join(binaries, 'lib') };
}

const SANDBOX = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };

function startServer(
  { binaries, identity }: PostgresHost,
  home: string,
  port: number,
  durability: 'sandbox' | 'full',
  isTemporary: boolean,
): RunningProcess {
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '200',
    log_min_messages: 'fatal',
    TimeZone: 'Asia/Shanghai',
    ...(durability === 'sandbox' ? SANDBOX : {}),
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return startGuarded({
    command: join(binaries, 'bin/postgres'),
    args: ['-D', join(home, 'data'), '-p', String(port), ...options],
    home,
    // "Fast": open transactions are rolled back, nobody is waited for.
    stopSignal: 'INT',
    env: serverEnvironment(binaries),
    identity,
    ...(isTemporary ? { removeAfterwards: home } : {}),
  });
}

async function untilReady(url: string, server: RunningProcess): Promise<void> {
  let hasEnded = false;
  server.exited.catch(() => (hasEnded = true));
  for (let attempt = 0; attempt < 500 && !hasEnded; attempt++) {
    if (await answers(url)) return;
    await new Promise((wake) => setTimeout(wake, 20));
  }
  if (hasEnded) await server.exited;
  throw new Error('the embedded PostgreSQL did not become ready within ten seconds');
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    return true;
  } catch {
    // Not listening yet, or still starting up.
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

async function createDatabase(maintenanceUrl: string, name: string): Promise<void> {
  const client = new pg.Client({ connectionString: maintenanceUrl });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [name]);
    if (!rowCount) await client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`);
  } finally {
    await client.end();
  }
}
