import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { pino } from 'pino';
import type { FaultProxy } from '../../simulators/fault-proxy.ts';
import { createFaultProxy, isWireFault } from '../../simulators/fault-proxy.ts';
import type { Fault } from '../../simulators/simulator.ts';
import { createTestDatabases } from '../../tests/kit/postgres.ts';
import type { Adapter } from '../adapter.ts';
import { createClock } from '../clock.ts';
import { describeAdapterContract } from '../contract.ts';
import { migrate } from '../postgres/migrate.ts';
import { createPool } from '../postgres/pool.ts';
import { createPostgresAdapter } from '../sql/postgres.ts';
import type { Feed } from './feed.ts';
import type { Line } from './formats.ts';
import { parseFile } from './formats.ts';
import type { FileDropRequest } from './reader.ts';
import { createFileDropReader } from './reader.ts';
import { FILE_DROP_MIGRATIONS, FILE_DROP_SCOPE } from './schema.sql.ts';
import { loadFile } from './store.ts';

const SYSTEM = 'test drop';
const clock = createClock(1);
const databases = createTestDatabases();
const log = pino({ level: 'silent' });
let store: pg.Pool;
let proxy: FaultProxy;
let reader: Adapter<FileDropRequest>;

beforeAll(async () => {
  const url = await databases.url('file_drop_reader');
  store = createPool({ url, max: 2, applicationName: 'test', log });
  await migrate(store, FILE_DROP_SCOPE, FILE_DROP_MIGRATIONS);
  await load('grades', '2026-04-01', 'S001|A\nS001|B\nS002|C\nS003\n');
  await load('arrears', '2026-03-31', 'S002|9\n???\n');
  const direct = new URL(url);
  proxy = await createFaultProxy({ host: direct.hostname, port: Number(direct.port || 5432) }, 0);
  const proxied = new URL(url);
  proxied.host = `127.0.0.1:${proxy.port}`;
  reader = createFileDropReader({
    system: SYSTEM,
    sql: createPostgresAdapter({ system: SYSTEM, url: proxied.href, poolSize: 4 }),
  });
});
afterAll(async () => {
  await reader.close();
  await proxy.close();
  await store.end();
  await databases.close();
});

async function load(name: string, businessDate: string, text: string): Promise<void> {
  const feed: Feed = {
    name,
    file: /^$/,
    format: { kind: 'delimited', separator: '|', columns: ['subject', 'value'] },
    subjectIn: /S\d{3}/,
    subjectOf: ({ subject = '' }) => ({ subject }),
  };
  const lines: readonly Line[] = parseFile(Buffer.from(`subject|value\n${text}`), feed.format);
  await loadFile(store, { system: SYSTEM, feed, name, digest: text, businessDate, lines }, new Date());
}

function read(feeds: readonly string[], keys: readonly string[]) {
  const { signal } = new AbortController();
  return reader.call({ feeds, keys }, { signal, deadline: clock.now() + 5_000 });
}

describeAdapterContract('file-drop', () => ({
  adapter: reader,
  request: { feeds: ['grades'], keys: ['S001', 'S002'] },
  faults: {
    refuse: ['unavailable'],
    slow: ['timeout'],
    hang: ['timeout'],
    reset: ['unavailable', 'malformed'],
    truncate: ['unavailable', 'malformed'],
    garble: ['malformed', 'unavailable', 'timeout'],
    html: ['malformed', 'unavailable'],
    oversize: ['malformed', 'unavailable', 'timeout'],
  },
  fault: (name) => {
    if (isWireFault(name as Fault)) proxy.setFault(name as Parameters<FaultProxy['setFault']>[0]);
    return Promise.resolve();
  },
  heal: () => Promise.resolve(proxy.setFault(null)),
  openCalls: () => proxy.openCalls(),
}));

describe('reading what was ingested', () => {
  it('gives the rows of many keys, as of the oldest of the files', async () => {
    expect(await read(['grades', 'arrears'], ['S002'])).toEqual({
      rows: [
        { feed: 'grades', subject: 'S002', record: { subject: 'S002', value: 'C' } },
        { feed: 'arrears', subject: 'S002', record: { subject: 'S002', value: '9' } },
      ],
      asOf: '2026-03-30T16:00:00.000Z',
    });
  });

  it('says that a line of a subject was set aside', async () => {
    expect((await read(['grades'], ['S001', 'S003'])).rows).toEqual([
      { feed: 'grades', subject: 'S001', record: { subject: 'S001', value: 'A' } },
      { feed: 'grades', subject: 'S001', record: { subject: 'S001', value: 'B' } },
      { feed: 'grades', subject: 'S003', record: null },
    ]);
  });

  it('lets nobody be told that there is nothing while a line lies aside that may be anybody’s', async () => {
    expect((await read(['arrears'], ['S001', 'S002'])).rows).toEqual([
      { feed: 'arrears', subject: 'S002', record: { subject: 'S002', value: '9' } },
      { feed: 'arrears', subject: 'S001', record: null },
    ]);
  });

  it('is a fault, not an empty answer, where a feed was never delivered', async () => {
    await expect(read(['grades', 'violations'], ['S001'])).rejects.toMatchObject({ fault: 'unavailable' });
  });
});
