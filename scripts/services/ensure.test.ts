import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { createConnection } from 'mysql2/promise';
import pg from 'pg';
import type { Services } from './ensure.ts';
import { ensureServices, MissingServersError } from './ensure.ts';

const run = promisify(execFile);
const silent = { say: () => {} };

describe('servers for tests', () => {
  let services: Services;
  const url = (name: string) => services.environment[`JINXIN_TEST_${name}_URL`] ?? '';

  beforeAll(async () => {
    // Of our own, also where the tests as a whole were given others.
    services = await ensureServices({ environment: { PATH: process.env['PATH'] }, isRoot: false, ...silent });
  });
  afterAll(() => services.stop());

  it('are a Redis that keeps nothing and asks for a password', async () => {
    const redis = new Redis(url('REDIS'));
    expect(await redis.config('GET', 'save')).toEqual(['save', '']);
    redis.disconnect();
    const { hostname, port } = new URL(url('REDIS'));
    const stranger = new Redis({ host: hostname, port: Number(port) });
    stranger.on('error', () => {});
    await expect(stranger.get('x')).rejects.toThrow('NOAUTH');
    stranger.disconnect();
  });

  it('are a PostgreSQL whose superuser we are', async () => {
    const client = new pg.Client(url('POSTGRES'));
    await client.connect();
    const { rows } = await client.query('SELECT usesuper FROM pg_user WHERE usename = current_user');
    await client.end();
    expect(rows).toEqual([{ usesuper: true }]);
  });

  it('are a MariaDB in which we may make databases, and which speaks GBK', async () => {
    const connection = await createConnection(url('MARIADB'));
    await connection.query('CREATE DATABASE exchange CHARACTER SET gbk');
    const [rows] = await connection.query(`SELECT CONVERT(x'CCECBDF2' USING gbk) AS city`);
    await connection.end();
    expect(rows).toEqual([{ city: '天津' }]);
  });

  it('come with the Redis binary, for tests that start their own', async () => {
    const { stdout } = await run(services.environment['JINXIN_TEST_REDIS_SERVER'] ?? '', ['--version']);
    expect(stdout).toContain('Redis server');
  });

  it('are those of the environment where it names some', async () => {
    const named = { ...services.environment, PATH: process.env['PATH'] };
    const again = await ensureServices({ environment: named, isRoot: false, ...silent });
    expect(again.environment).toEqual(services.environment);
    await again.stop();
    const client = new pg.Client(url('POSTGRES'));
    await client.connect();
    expect((await client.query('SELECT 1 AS alive')).rows).toEqual([{ alive: 1 }]);
    await client.end();
  });
});

describe('servers that are not there', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'jinxin-apt-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** A machine on which nothing is found, not even in /usr/sbin. */
  const nowhere = (path: string, isRoot: boolean, said: string[] = []) => ({
    environment: { PATH: path },
    isRoot,
    say: (line: string) => said.push(line),
    folders: [],
  });

  it('are named with the command that installs them, to who may not install', async () => {
    const apt = await aptGet('refused', 'exit 0');
    const attempt = ensureServices(nowhere(apt, false));
    await expect(attempt).rejects.toThrow(MissingServersError);
    await expect(attempt).rejects.toThrow(
      'sudo apt-get install -y --no-install-recommends redis-server mariadb-server-core mariadb-client-core',
    );
  });

  it('are named on a system without apt-get', async () => {
    await expect(ensureServices(nowhere(folder, true))).rejects.toThrow(
      /Install redis-server and mariadb-server-core/,
    );
  });

  it('are installed by root, and a failing apt-get is said, not skipped', async () => {
    const said: string[] = [];
    const apt = await aptGet('failing', '[ "$2" = update ] || exit 100');
    await expect(ensureServices(nowhere(apt, true, said))).rejects.toThrow(
      /apt-get install .* failed \(100\)/,
    );
    expect(said).toEqual([
      expect.stringContaining('redis-server, mariadbd'),
      'apt-get update',
      expect.stringMatching(/^apt-get install -y --no-install-recommends redis-server/),
    ]);
  });

  it('are not taken for installed because apt-get says so', async () => {
    const apt = await aptGet('idle', 'exit 0');
    await expect(ensureServices(nowhere(apt, true))).rejects.toThrow(/redis-server, .* not found, although/);
  });

  /** A folder with nothing but an apt-get that does as told: installing for real would change the machine. */
  async function aptGet(name: string, script: string): Promise<string> {
    const path = join(folder, name);
    await mkdir(path);
    await writeFile(join(path, 'apt-get'), `#!/bin/sh\n${script}\n`);
    await chmod(join(path, 'apt-get'), 0o755);
    return path;
  }
});
