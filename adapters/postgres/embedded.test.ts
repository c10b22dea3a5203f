import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import pg from 'pg';
import type { EmbeddedPostgres } from './embedded.ts';
import { startEmbeddedPostgres } from './embedded.ts';

const run = promisify(execFile);

async function ask(url: string, text: string): Promise<readonly unknown[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

async function dataOf(server: EmbeddedPostgres): Promise<string> {
  const [row] = (await ask(server.url('postgres'), 'SHOW data_directory')) as { data_directory: string }[];
  return row?.data_directory ?? '';
}

describe('embedded PostgreSQL', () => {
  let server: EmbeddedPostgres;
  beforeAll(async () => {
    server = await startEmbeddedPostgres();
  });
  afterAll(() => server.stop());

  it('takes the characters of 天津 for letters, so that names can be searched by trigrams', async () => {
    const url = await server.createDatabase('letters');
    await ask(url, 'CREATE EXTENSION pg_trgm');
    const [row] = (await ask(
      url,
      `SELECT show_trgm('天津') AS trigrams, similarity('天津津信', '天津津新') AS alike`,
    )) as {
      trigrams: string[];
      alike: number;
    }[];
    expect(row?.trigrams).toHaveLength(3);
    expect(row?.alike).toBeGreaterThan(0.3);
  });

  it('stores UTF-8, rare characters of names too', async () => {
    expect(
      await ask(
        server.url('postgres'),
        `SELECT '䶮㛃𠮷' AS name, current_setting('server_encoding') AS encoding`,
      ),
    ).toEqual([{ name: '䶮㛃𠮷', encoding: 'UTF8' }]);
  });

  it('creates a database under any name, once', async () => {
    const url = await server.createDatabase('区-"quoted"');
    expect(await server.createDatabase('区-"quoted"')).toBe(url);
    expect(await ask(url, 'SELECT current_database() AS name')).toEqual([{ name: '区-"quoted"' }]);
  });

  it('lets in nobody without the password', async () => {
    const wrong = server.url('postgres').replace(/:[^:@]+@/, ':guess@');
    await expect(ask(wrong, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
  });

  it('listens on the loopback address and on no socket in the file system', async () => {
    const settings = `SELECT current_setting('listen_addresses') AS tcp, current_setting('unix_socket_directories') AS unix`;
    expect(await ask(server.url('postgres'), settings)).toEqual([{ tcp: '127.0.0.1', unix: '' }]);
  });

  it('gives its files to its own user only', async () => {
    expect((await stat(await dataOf(server))).mode & 0o077).toBe(0);
  });
});

describe('an embedded PostgreSQL that is stopped', () => {
  it('is gone with its data, though a client still has a transaction open, and may be stopped twice', async () => {
    const server = await startEmbeddedPostgres();
    const data = await dataOf(server);
    const client = new pg.Client(server.url('postgres'));
    client.on('error', () => {});
    await client.connect();
    await client.query('BEGIN');
    await server.stop();
    await server.stop();
    await expect(ask(server.url('postgres'), 'SELECT 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(existsSync(join(data, '..'))).toBe(false);
  });

  it('does not stay when the process that started it is killed', async () => {
    const program = `
      const { startEmbeddedPostgres } = await import('./adapters/postgres/embedded.ts');
      const server = await startEmbeddedPostgres();
      console.log(server.url('postgres'));
      setInterval(() => {}, 1_000);`;
    const owner = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
      cwd: join(import.meta.dirname, '../..'),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [url] = (await once(createInterface(owner.stdout), 'line')) as [string];
    // A connection of ours sees the moment in which the server goes.
    const witness = new pg.Client(url);
    const gone = new Promise((resolve) => witness.on('error', resolve));
    await witness.connect();
    owner.kill('SIGKILL');
    expect(String(await gone)).toMatch(/terminat/);
  });
});

describe('an embedded PostgreSQL whose data are kept', () => {
  const folders: string[] = [];
  afterEach(async () => {
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
  });
  async function temporaryFolder(mode: number): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'jinxin-kept-'));
    await chmod(folder, mode);
    folders.push(folder);
    return folder;
  }

  it('finds them again after a stop', async () => {
    const directory = join(await temporaryFolder(0o755), 'platform');
    const first = await startEmbeddedPostgres({ directory });
    await ask(first.url('postgres'), 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.stop();
    const second = await startEmbeddedPostgres({ directory });
    expect(await ask(second.url('postgres'), 'SELECT * FROM kept')).toEqual([{ answer: 42 }]);
    expect(await ask(second.url('postgres'), 'SHOW fsync')).toEqual([{ fsync: 'on' }]);
    await second.stop();
  });

  it('starts as root from a folder that no other user can enter, or says why it cannot', async () => {
    const directory = join(await temporaryFolder(0o700), 'platform');
    const attempt = startEmbeddedPostgres({ directory }).then((server) => server.stop());
    if (process.getuid?.() === 0) await expect(attempt).rejects.toThrow(/unprivileged user cannot reach/);
    else expect(await attempt).toBeUndefined();
  });
});

describe('an embedded PostgreSQL that cannot start', () => {
  it('says that the port is taken, and leaves no process behind', async () => {
    const squatter = createServer().listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    const { port } = squatter.address() as AddressInfo;
    await expect(startEmbeddedPostgres({ port })).rejects.toThrow(
      /could not bind|could not create any TCP\/IP sockets/,
    );
    squatter.close();
    const { stdout } = await run('ps', ['-eo', 'args']);
    expect(stdout).not.toContain(`-p ${port} `);
  });
});
