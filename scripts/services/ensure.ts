/** The servers that tests need: those named in the environment, or ones of our own, installed first where that is possible. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { startMariadb } from './mariadb.ts';
import { startPostgres } from './postgres.ts';
import { startRedis } from './redis.ts';
import type { Service } from './service.ts';

export interface Services {
  /** JINXIN_TEST_REDIS_URL, JINXIN_TEST_POSTGRES_URL, JINXIN_TEST_MARIADB_URL, JINXIN_TEST_REDIS_SERVER. */
  readonly environment: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

export interface Machine {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly isRoot: boolean;
  /** Where else than in PATH to look: servers often lie in sbin, which is not in an ordinary user's. */
  readonly folders?: readonly string[];
  /** One line of progress for the person who waits. */
  say(line: string): void;
}

export class MissingServersError extends Error {
  override readonly name = 'MissingServersError';
}

/** Program → the Debian package that brings it. -core, since that one starts no server of its own on the machine. */
const PACKAGES = {
  'redis-server': 'redis-server',
  mariadbd: 'mariadb-server-core',
  'mariadb-install-db': 'mariadb-server-core',
  // Asked by the former for its settings.
  my_print_defaults: 'mariadb-client-core',
} as const;

const SYSTEM_FOLDERS = ['/usr/sbin', '/usr/bin', '/usr/local/sbin'];

type Program = keyof typeof PACKAGES;

/** @throws MissingServersError that says what to install, when it cannot be installed from here. */
export async function ensureServices(machine: Machine): Promise<Services> {
  const { environment, say } = machine;
  const given = (name: string) => environment[name] || undefined;
  const needed: Program[] = [
    ...(given('JINXIN_TEST_REDIS_SERVER') ? [] : (['redis-server'] as const)),
    ...(given('JINXIN_TEST_MARIADB_URL')
      ? []
      : (['mariadbd', 'mariadb-install-db', 'my_print_defaults'] as const)),
  ];
  const programs = await ensurePrograms(needed, machine);
  const path = (program: Program) => programs.get(program) ?? '';
  const redisServer = given('JINXIN_TEST_REDIS_SERVER') ?? path('redis-server');

  const started: Service[] = [];
  const stop = async () => void (await Promise.all(started.map((service) => service.stop())));
  const provide = async (variable: string, start: () => Promise<Service>): Promise<[string, string]> => {
    const url = given(variable);
    if (url !== undefined) return [variable, url];
    const service = await start();
    started.push(service);
    return [variable, service.url];
  };
  say('starting Redis, PostgreSQL and MariaDB …');
  const results = await Promise.allSettled([
    provide('JINXIN_TEST_REDIS_URL', () => startRedis(redisServer)),
    provide('JINXIN_TEST_POSTGRES_URL', startPostgres),
    provide('JINXIN_TEST_MARIADB_URL', () =>
      startMariadb({ server: path('mariadbd'), installer: path('mariadb-install-db') }),
    ),
  ]);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) {
    await stop();
    throw failed.reason;
  }
  const urls = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  return { environment: { ...Object.fromEntries(urls), JINXIN_TEST_REDIS_SERVER: redisServer }, stop };
}

async function ensurePrograms(
  needed: readonly Program[],
  machine: Machine,
): Promise<ReadonlyMap<Program, string>> {
  const { isRoot, say } = machine;
  const before = await findPrograms(needed, machine);
  const missing = needed.filter((program) => !before.has(program));
  if (missing.length === 0) return before;
  const packages = [...new Set(missing.map((program) => PACKAGES[program]))];
  const command = `apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  const aptGet = await find('apt-get', machine);
  if (!isRoot || aptGet === null)
    throw new MissingServersError(explain(missing, packages, command, aptGet !== null));
  say(`${missing.join(', ')} not found: installing ${packages.join(' and ')}`);
  await apt(aptGet, ['update'], machine);
  await apt(aptGet, ['install', '-y', '--no-install-recommends', ...packages], machine);
  const after = await findPrograms(needed, machine);
  const still = needed.filter((program) => !after.has(program));
  if (still.length > 0)
    throw new MissingServersError(`${still.join(', ')} not found, although \`${command}\` succeeded`);
  return after;
}

function explain(
  missing: readonly string[],
  packages: readonly string[],
  command: string,
  isDebian: boolean,
): string {
  const how = isDebian
    ? `Install them / 请安装: sudo ${command}`
    : `Install ${packages.join(' and ')} (the names are Debian's) with this system's package manager / 请用本系统的软件包管理器安装`;
  return [
    `The tests need real servers, and these were not found / 测试需要真实的服务器，未找到: ${missing.join(', ')}`,
    how,
    'Or name running ones / 或指定已运行的服务: JINXIN_TEST_MARIADB_URL, JINXIN_TEST_REDIS_URL with JINXIN_TEST_REDIS_SERVER',
  ].join('\n');
}

async function findPrograms(
  programs: readonly Program[],
  machine: Machine,
): Promise<ReadonlyMap<Program, string>> {
  const found = await Promise.all(
    programs.map(async (program) => [program, await find(program, machine)] as const),
  );
  return new Map(found.flatMap(([program, path]) => (path === null ? [] : [[program, path] as const])));
}

async function find(
  program: string,
  { environment, folders = SYSTEM_FOLDERS }: Machine,
): Promise<string | null> {
  const inPath = (environment['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  for (const folder of [...inPath, ...folders]) {
    const path = join(folder, program);
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  return null;
}

/** apt's own output goes to standard error as it comes; nobody is asked anything. */
async function apt(aptGet: string, args: readonly string[], { environment, say }: Machine): Promise<void> {
  say(`apt-get ${args.join(' ')}`);
  const child = spawn(aptGet, ['-q', ...args], {
    env: { ...environment, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 2, 2],
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new MissingServersError(`\`apt-get ${args.join(' ')}\` failed (${String(code)})`);
}
