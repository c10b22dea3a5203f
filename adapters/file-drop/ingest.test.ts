import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import iconv from 'iconv-lite';
import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import { connect, createServer } from 'node:net';
import type pg from 'pg';
import { pino } from 'pino';
import { fileAndFlag } from '../../simulators/tax/files.ts';
import type { SftpServer } from '../../simulators/tax/sftp-server.ts';
import { startSftpServer } from '../../simulators/tax/sftp-server.ts';
import { createTestDatabases } from '../../tests/kit/postgres.ts';
import { createClock } from '../clock.ts';
import { migrate } from '../postgres/migrate.ts';
import { createPool } from '../postgres/pool.ts';
import type { Feed } from './feed.ts';
import type { FileOutcome } from './ingest.ts';
import { createIngest } from './ingest.ts';
import { FILE_DROP_MIGRATIONS, FILE_DROP_SCOPE } from './schema.sql.ts';
import { createSftp } from './sftp.ts';

const HEADER = '名称|代码|金额';
const FEED: Feed = {
  name: 'amounts',
  file: /^AMOUNTS_(\d{8})\.txt$/,
  format: { kind: 'delimited', separator: '|', columns: HEADER.split('|') },
  subjectIn: /S\d{3}/,
  subjectOf: ({ 代码: subject = '', 金额: amount = '' }) =>
    /^\d+$/.test(amount) ? { subject } : { subject, reason: 'has no amount' },
};
const NAME = 'AMOUNTS_20260401.txt';
const log = pino({ level: 'silent' });
const databases = createTestDatabases();

let files: Map<string, Buffer>;
let server: SftpServer;
let store: pg.Pool;
let system = 0;

beforeAll(async () => {
  server = await startSftpServer({ user: 'u', password: 'p', files: () => files });
  store = createPool({ url: await databases.url('file_drop_ingest'), max: 4, applicationName: 'test', log });
  await migrate(store, FILE_DROP_SCOPE, FILE_DROP_MIGRATIONS);
});
beforeEach(() => {
  files = new Map();
  system += 1;
  server.refuseLogins(false);
});
afterAll(async () => {
  await store.end();
  await server.close();
  await databases.close();
});

function deliver(lines: readonly string[], name = NAME): void {
  for (const [file, content] of fileAndFlag(name, 'SM3', HEADER, lines)) files.set(file, content);
}

/** Every test is a system of its own in the one store. */
function createRig({ port = server.port, hostKey = server.fingerprint, silenceMs = 5_000 } = {}) {
  const name = `system ${system}`;
  const sftp = createSftp({
    system: name,
    url: `sftp://u:p@127.0.0.1:${port}/out`,
    hostKeyFingerprint: hostKey,
    silenceMs,
  });
  const ingest = createIngest({ sftp, store, feeds: [FEED], clock: createClock(1), log });
  return {
    ...ingest,
    sync: (signal = new AbortController().signal) => ingest.sync(signal),
    rows: async () =>
      (
        await store.query<{ row: string }>(
          `SELECT r.subject || '=' || (r.record->>'金额') AS row FROM file_drop_row r JOIN file_drop_file f ON f.id = r.file
            WHERE f.system = $1 AND f.is_current ORDER BY r.subject, r.line`,
          [name],
        )
      ).rows.map(({ row }) => row),
    quarantine: async () =>
      (
        await store.query<{
          id: string;
          subject: string;
          line: number;
          raw: Buffer;
          reason: string;
          file: string;
        }>(
          `SELECT q.id, q.subject, q.line, q.raw, q.reason, f.name AS file FROM file_drop_quarantine q JOIN file_drop_file f ON f.id = q.file
            WHERE f.system = $1 AND q.resolved_at IS NULL ORDER BY q.line`,
          [name],
        )
      ).rows,
  };
}

describe('a delivery', () => {
  it('is read once, however often it is looked at', async () => {
    deliver(['甲㛃|S001|5', '乙䶮|S002|7']);
    const { sync, rows } = createRig();
    expect(await sync()).toMatchObject([
      { outcome: 'taken', file: NAME, lines: 2, loaded: 2, quarantined: 0 },
    ]);
    const read = server.filesRead();
    expect(await sync()).toEqual([]);
    expect(server.filesRead()).toBe(read + 1); // the flag file, to see that nothing changed
    expect(await rows()).toEqual(['S001=5', 'S002=7']);
  });

  it('is loaded by one of two processes that see it at the same time', async () => {
    deliver(['甲|S001|5']);
    const outcomes = (await Promise.all([createRig().sync(), createRig().sync()])).flat();
    expect(outcomes.filter(({ outcome }) => outcome === 'taken')).toHaveLength(1);
    expect(await createRig().rows()).toEqual(['S001=5']);
  });

  it('waits for its flag file', async () => {
    deliver(['甲|S001|5']);
    const flag = files.get(`${NAME}.ok`) as Buffer;
    files.delete(`${NAME}.ok`);
    const { sync, rows } = createRig();
    expect(await sync()).toEqual([{ feed: 'amounts', file: NAME, outcome: 'waiting' }]);
    expect(await rows()).toEqual([]);
    files.set(`${NAME}.ok`, flag);
    expect(await sync()).toMatchObject([{ outcome: 'taken' }]);
  });

  it('sent again in full takes the place of the first, and the first may come back', async () => {
    const { sync, rows } = createRig();
    deliver(['甲|S001|5', '乙|S002|7']);
    await sync();
    deliver(['甲|S001|6', '丙|S003|1']);
    await sync();
    expect(await rows()).toEqual(['S001=6', 'S003=1']);
    deliver(['甲|S001|5', '乙|S002|7']);
    await sync();
    expect(await rows()).toEqual(['S001=5', 'S002=7']);
  });

  it('of a later day takes the place of the earlier, and a late earlier one changes nothing', async () => {
    const { sync, rows } = createRig();
    deliver(['甲|S001|8'], 'AMOUNTS_20260403.txt');
    deliver(['甲|S001|7'], 'AMOUNTS_20260402.txt');
    expect(await sync()).toMatchObject([{ file: 'AMOUNTS_20260403.txt', outcome: 'taken' }]);
    deliver(['甲|S001|6'], 'AMOUNTS_20260401.txt');
    expect(await sync()).toEqual([]);
    expect(await rows()).toEqual(['S001=8']);
  });
});

describe('a file that is dated', () => {
  it('in the future is refused, and does not keep the others out', async () => {
    const { sync, rows } = createRig();
    deliver(['甲|S001|9'], 'AMOUNTS_20991231.txt');
    deliver(['甲|S001|5']);
    expect(await sync()).toMatchObject([
      { outcome: 'refused', reason: 'it is dated in the future' },
      { outcome: 'taken' },
    ]);
    expect(await rows()).toEqual(['S001=5']);
  });

  it('with a day that does not exist is nobody’s', async () => {
    deliver(['甲|S001|9'], 'AMOUNTS_20260230.txt');
    expect(await createRig().sync()).toEqual([]);
  });
});

describe('a file that is not what its flag file says', () => {
  const LINES = ['甲|S001|9', '乙|S002|9'];
  const changed = (change: (content: Buffer) => Buffer) =>
    fileAndFlag(NAME, 'SM3', HEADER, LINES).map(
      ([file, content]) => [file, file === NAME ? change(content) : content] as const,
    );
  it.each([
    ['half-written', /bytes/, changed((content) => content.subarray(0, -9))],
    [
      'changed on the way',
      /SM3/,
      changed((content) => Buffer.from(content).fill('5', content.length - 3, content.length - 2)),
    ],
    ['short of lines', /lines/, fileAndFlag(NAME, 'SM3', HEADER, LINES, 'missing-rows')],
    ['of HTML', /columns/, fileAndFlag(NAME, 'SM3', '<html>', ['<body>'])],
    ['in UTF-8', /UTF-8/, fileAndFlag(NAME, 'SM3', HEADER, LINES, 'wrong-encoding')],
    ['with a column more', /columns/, fileAndFlag(NAME, 'SM3', HEADER, LINES, 'schema-drift')],
  ])('%s is refused, and what was read before stays', async (_, reason, spoilt) => {
    const { sync, rows } = createRig();
    deliver(['甲|S001|5']);
    await sync();
    for (const [file, content] of spoilt) files.set(file, content);
    expect(await sync()).toMatchObject([{ outcome: 'refused', reason: expect.stringMatching(reason) }]);
    expect(await rows()).toEqual(['S001=5']);
    deliver(['甲|S001|9']);
    expect(await sync()).toMatchObject([{ outcome: 'taken' }]);
    expect(await rows()).toEqual(['S001=9']);
  });

  it('does not keep an earlier whole one from being read', async () => {
    const { sync, rows } = createRig();
    deliver(['甲|S001|5'], 'AMOUNTS_20260402.txt');
    for (const [file, content] of fileAndFlag('AMOUNTS_20260403.txt', 'MD5', HEADER, LINES, 'schema-drift'))
      files.set(file, content);
    expect(await sync()).toMatchObject([
      { outcome: 'refused' },
      { outcome: 'taken', file: 'AMOUNTS_20260402.txt' },
    ]);
    expect(await rows()).toEqual(['S001=5']);
  });
});

describe('what a new file changes', () => {
  const changedBy = async (sync: () => Promise<readonly FileOutcome[]>) => {
    const [file] = await sync();
    if (file?.outcome !== 'taken') throw new Error(`the file was not taken: ${JSON.stringify(file)}`);
    return file.changed && file.changed.toSorted();
  };

  it('is told by subject: whoever is new, gone or said something else of', async () => {
    const { sync } = createRig();
    deliver(['甲|S001|5', '乙|S002|7', '丙|S003|1', '丙|S003|2']);
    expect(await changedBy(sync)).toBeNull();
    deliver(['乙|S002|8', '丙|S003|2', '丙|S003|1', '丁|S004|1']);
    expect(await changedBy(sync)).toEqual(['S001', 'S002', 'S004']);
    deliver(['乙|S002|8', '丁|S004|1', '丙|S003|2', '丙|S003|1']);
    expect(await changedBy(sync)).toEqual([]);
  });

  it('is in doubt of whom a line is or was set aside, and of everybody where nobody can tell whose it is', async () => {
    const { sync } = createRig();
    deliver(['甲|S001|5', '乙|S002|7', '丙|S003|1']);
    await sync();
    deliver(['甲|S001|5', '乙|S002', '丙|S003|1']);
    expect(await changedBy(sync)).toEqual(['S002']);
    deliver(['甲|S001|5', '乙|S002|7', '丙|S003|1']);
    expect(await changedBy(sync)).toEqual(['S002']);
    deliver(['甲|S001|5', '???', '丙|S003|1']);
    expect(await changedBy(sync)).toBeNull();
  });
});

describe('a bad line', () => {
  it('is set aside with file, line, bytes and reason; nothing is lost', async () => {
    const { sync, rows, quarantine } = createRig();
    deliver(['甲|S001|5', '乙|S002', '丙|S003|', '???', '丁|S004|1', '戊|S005|2']);
    expect(await sync()).toMatchObject([{ lines: 6, loaded: 3, quarantined: 3 }]);
    expect(await rows()).toEqual(['S001=5', 'S004=1', 'S005=2']);
    expect(await quarantine()).toMatchObject([
      {
        file: NAME,
        line: 3,
        subject: 'S002',
        reason: 'has 2 columns instead of 3',
        raw: iconv.encode('乙|S002', 'gb18030'),
      },
      { file: NAME, line: 4, subject: 'S003', reason: 'has no amount' },
      { file: NAME, line: 5, subject: '', reason: 'has 1 columns instead of 3' },
    ]);
  });

  it('is handed in again corrected, once', async () => {
    const { sync, rows, quarantine, resubmit } = createRig();
    deliver(['甲|S001|5', '乙㛃|S002']);
    await sync();
    const [entry] = await quarantine();
    const id = entry?.id ?? '';
    expect(await resubmit(id, '乙㛃|S002|x')).toEqual({ outcome: 'still-bad', reason: 'has no amount' });
    expect(await resubmit(id, '乙㛃|S002|7')).toEqual({ outcome: 'loaded' });
    expect(await resubmit(id, '乙㛃|S002|7')).toEqual({ outcome: 'unknown' });
    expect(await rows()).toEqual(['S001=5', 'S002=7']);
    expect(await quarantine()).toEqual([]);
  });

  it('of a file that was sent again meanwhile has nothing to correct', async () => {
    const { sync, rows, quarantine, resubmit } = createRig();
    deliver(['甲|S001|5', '乙|S002']);
    await sync();
    const [entry] = await quarantine();
    deliver(['甲|S001|5', '乙|S002|8']);
    await sync();
    expect(await resubmit(entry?.id ?? '', '乙|S002|7')).toEqual({ outcome: 'superseded' });
    expect(await rows()).toEqual(['S001=5', 'S002=8']);
  });
});

describe('the drop', () => {
  it('that cuts the connection is read on from where it was cut', async () => {
    deliver(
      Array.from({ length: 60_000 }, (_, at) => `津信测试样例有限公司|S${String(at).padStart(3, '0')}|${at}`),
    );
    const size = files.get(NAME)?.length ?? 0;
    const wire = await startCuttingWire(server.port, size * 0.6);
    const outcomes = await createRig({ port: wire.port }).sync();
    expect(outcomes).toMatchObject([{ outcome: 'taken', loaded: 60_000 }]);
    expect(wire.cuts()).toBeGreaterThan(0);
    expect(wire.bytes()).toBeLessThan(size * 1.5);
    await wire.close();
  });

  it('with another host key is not spoken to', async () => {
    const rig = createRig({ hostKey: 'SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' });
    await expect(rig.sync()).rejects.toMatchObject({ name: 'LegacyError', fault: 'refused' });
  });

  it('that refuses the login, is not there, or says nothing, is a fault', async () => {
    server.refuseLogins(true);
    await expect(createRig().sync()).rejects.toMatchObject({ fault: 'refused' });
    await expect(createRig({ port: 1 }).sync()).rejects.toMatchObject({ fault: 'unavailable' });
    const mute = createServer();
    const port = await listen(mute);
    await expect(createRig({ port, silenceMs: 200 }).sync()).rejects.toMatchObject({ fault: 'timeout' });
    await expect(createRig({ port }).sync(AbortSignal.timeout(100))).rejects.toMatchObject({
      fault: 'timeout',
    });
    mute.close();
  });
});

/** A wire that is cut once, after so many bytes from the server. */
async function startCuttingWire(target: number, after: number) {
  let bytes = 0;
  let cuts = 0;
  const wire: Server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    client.on('error', () => upstream.destroy()).on('close', () => upstream.destroy());
    upstream.on('error', () => client.destroy()).on('close', () => client.destroy());
    client.on('data', (chunk) => upstream.write(chunk));
    upstream.on('data', (chunk) => {
      bytes += chunk.length;
      if (cuts === 0 && bytes > after) {
        cuts += 1;
        client.resetAndDestroy();
      } else client.write(chunk);
    });
  });
  return {
    port: await listen(wire),
    bytes: () => bytes,
    cuts: () => cuts,
    close: () => new Promise((done) => wire.close(done)),
  };
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
