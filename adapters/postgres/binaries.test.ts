import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  chmod,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  readlink,
  realpath,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyForAll, isOpenToAll } from './binaries.ts';

let root: string;
let native: string;
let open: string;

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'jinxin-binaries-')));
  await chmod(root, 0o755);
  native = join(root, 'private/package/native');
  open = join(root, 'open');
  await mkdir(join(native, 'bin'), { recursive: true });
  await mkdir(open);
  await chmod(open, 0o755);
  await writeFile(join(native, '../package.json'), '{"version":"18.4.0"}');
  await writeFile(join(native, 'bin/postgres'), 'binary', { mode: 0o700 });
  await symlink('postgres', join(native, 'bin/postmaster'));
  await chmod(join(root, 'private'), 0o700);
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe('binaries in a folder that not everybody can enter', () => {
  it('are seen to be', async () => {
    expect(await isOpenToAll(native)).toBe(false);
    expect(await isOpenToAll(open)).toBe(await isOpenToAll(root));
  });

  it('are copied so that everybody can run them and only we can change them', async () => {
    const copy = await copyForAll(native, open);
    expect(copy).toBe(join(open, 'jinxin-postgres-18.4.0'));
    expect(await readFile(join(copy, 'bin/postgres'), 'utf8')).toBe('binary');
    expect(await readlink(join(copy, 'bin/postmaster'))).toBe('postgres');
    for (const path of [copy, join(copy, 'bin'), join(copy, 'bin/postgres')])
      expect((await stat(path)).mode & 0o777).toBe(0o755);
  });

  it('are copied once', async () => {
    const copy = await copyForAll(native, open);
    const before = await stat(copy);
    expect(await copyForAll(native, open)).toBe(copy);
    expect((await stat(copy)).ino).toBe(before.ino);
  });

  it('are copied whole when several processes come at once', async () => {
    const copies = await Promise.all(Array.from({ length: 8 }, () => copyForAll(native, open)));
    expect(new Set(copies).size).toBe(1);
    expect(await readdir(open)).toEqual(['jinxin-postgres-18.4.0']);
    expect(await readdir(copies[0] ?? '', { recursive: true })).toEqual(
      await readdir(native, { recursive: true }),
    );
  });

  it('are copied again when a cleaner of temporary files took some away', async () => {
    const copy = await copyForAll(native, open);
    await rm(join(copy, 'bin/postgres'));
    await copyForAll(native, open);
    expect(await readFile(join(copy, 'bin/postgres'), 'utf8')).toBe('binary');
    expect(await readdir(open)).toEqual(['jinxin-postgres-18.4.0']);
    expect(await readdir(copy)).toEqual(['bin']);
  });

  it.each([
    ['a folder that others may write to', (path: string) => mkdir(path).then(() => chmod(path, 0o777))],
    ['a link to somewhere else', (path: string) => symlink(root, path)],
    ['a file', (path: string) => writeFile(path, '')],
  ])('are never taken from %s that stands under the name', async (_, plant) => {
    await plant(join(open, 'jinxin-postgres-18.4.0'));
    await expect(copyForAll(native, open)).rejects.toThrow(
      /is not a folder that only this user can write to/,
    );
  });
});
