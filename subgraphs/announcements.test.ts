import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Pool } from 'pg';
import { pino } from 'pino';
import { createChangeJournal } from '../adapters/postgres/change-journal.ts';
import { createPool } from '../adapters/postgres/pool.ts';
import { createFaultProxy } from '../simulators/fault-proxy.ts';
import { createTestDatabases } from '../tests/kit/postgres.ts';
import { until } from '../tests/kit/redis.ts';
import { openAnnouncements, toChanges } from './announcements.ts';
import { createReadMemory } from './read-memory.ts';

const databases = createTestDatabases();
const log = pino({ level: 'silent' });
let platformUrl: string;
let pool: Pool;
beforeAll(async () => {
  platformUrl = await databases.url('announcements');
  pool = createPool({ url: platformUrl, max: 1, applicationName: 'test', log });
  await createChangeJournal(pool).prepare();
});
afterAll(async () => {
  await pool.end();
  await databases.close();
});
const announced = async () => (await createChangeJournal(pool).read(0)).changes.flatMap(({ names }) => names);

describe('a department', () => {
  it('announces each subject once, and everybody where there are too many', async () => {
    const announcements = openAnnouncements({ platformUrl, redisUrl: null, log });
    await announcements.announce([...toChanges('tax', ['a', 'b', 'a']), ...toChanges('courts', null)]);
    await announcements.announce(
      toChanges(
        'finance',
        Array.from({ length: 5_001 }, (_, at) => String(at)),
      ),
    );
    await announcements.announce([]);
    await announcements.close();
    expect(await announced()).toEqual(['tax a', 'tax b', 'courts *', 'finance *']);
  });

  it('whose announcement could not be written owes it until it is', async () => {
    const { hostname, port } = new URL(platformUrl);
    const proxy = await createFaultProxy({ host: hostname, port: Number(port) }, 0);
    const url = new URL(platformUrl);
    url.host = `127.0.0.1:${proxy.port}`;
    const announcements = openAnnouncements({ platformUrl: url.href, redisUrl: null, log });
    proxy.setFault('refuse');
    await expect(announcements.announce(toChanges('tax', ['refused']))).rejects.toThrow();
    announcements.owe(toChanges('tax', ['owed']));
    announcements.owe(toChanges('tax', ['owed', 'more']));
    proxy.setFault(null);
    await until('what is owed', async () => (await announced()).includes('tax more'));
    await announcements.close();
    await proxy.close();
    const names = (await announced()).filter((name) => /owed|more|refused/.test(name));
    // Once or twice: what comes while something is written is written after it.
    expect(new Set(names)).toEqual(new Set(['tax owed', 'tax more']));
  });
});

describe('what was read', () => {
  it('is a change when it is other than what was read before of the same subject', () => {
    const memory = createReadMemory();
    const read = [
      ['a', { grade: 'A' }],
      ['b', { grade: 'B' }],
      ['a', { grade: 'A' }],
      ['a', { grade: 'B' }],
      ['a', { grade: 'B' }],
      ['b', null],
    ] as const;
    expect(read.map(([subject, facts]) => memory.isOther(subject, facts))).toEqual([
      false,
      false,
      false,
      true,
      false,
      true,
    ]);
  });
});
