import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Pool } from 'pg';
import { pino } from 'pino';
import { createTestDatabases } from '../../tests/kit/postgres.ts';
import { until } from '../../tests/kit/redis.ts';
import type { ChangeJournal, JournalEntry } from './change-journal.ts';
import { createChangeJournal } from './change-journal.ts';
import { followJournal } from './journal-follower.ts';
import { createPool } from './pool.ts';

const databases = createTestDatabases();
const log = pino({ level: 'silent' });
let pool: Pool;
let journal: ChangeJournal;
beforeAll(async () => {
  pool = createPool({ url: await databases.url('journal'), max: 8, applicationName: 'test', log });
  journal = createChangeJournal(pool);
  await Promise.all([journal.prepare(), journal.prepare()]);
});
afterAll(async () => {
  await pool.end();
  await databases.close();
});

describe('the journal of changes', () => {
  it('is read to its end by who follows it, and nothing that is announced at the same time is missed', async () => {
    const heard: JournalEntry[] = [];
    const follower = followJournal({
      journal,
      everyMs: 5,
      onRead: ({ changes }) => heard.push(...changes),
      log,
    });
    const names = Array.from({ length: 60 }, (_, at) => `tax ${at}`);
    const positions = await Promise.all(names.map((name) => journal.append([name])));
    await until('the last change', () => Promise.resolve(heard.length >= names.length));
    await follower.close();
    expect(new Set(positions).size).toBe(names.length);
    expect(heard.flatMap((entry) => entry.names).toSorted()).toEqual(names.toSorted());
    expect(heard.map(({ position }) => position)).toEqual([...positions].toSorted((a, b) => a - b));
  });

  it('takes many names at once, in parts', async () => {
    const { position: before } = await journal.read(0);
    const names = Array.from({ length: 2_500 }, (_, at) => `courts ${at}`);
    const last = await journal.append(names);
    const { changes, position } = await journal.read(before);
    expect([changes.length, changes.flatMap((entry) => entry.names), position]).toEqual([3, names, last]);
  });

  it('goes on above what it had, also where the rows were lost', async () => {
    const before = await journal.append(['tax a']);
    await pool.query('DELETE FROM change_journal');
    expect(await journal.append(['tax b'])).toBeGreaterThan(before);
  });

  it('goes on above what it holds where the clock was set back', async () => {
    const ahead = Date.now() + 3_600_000;
    await pool.query('INSERT INTO change_journal (position, names) VALUES ($1, $2)', [ahead, ['tax a']]);
    expect(await journal.append(['tax b'])).toBe(ahead + 1);
  });

  it('forgets what nobody keeps anything from', async () => {
    await pool.query(
      `INSERT INTO change_journal VALUES (1, '{"tax old"}', now() - interval '49 hours'), (2, '{"tax new"}', now() - interval '47 hours')`,
    );
    await journal.append(['tax c']);
    const { changes } = await journal.read(0);
    expect(changes.flatMap((entry) => entry.names)).toEqual(expect.arrayContaining(['tax new', 'tax c']));
    expect(changes.flatMap((entry) => entry.names)).not.toContain('tax old');
  });

  it('is read again at once when somebody rings, and again after it could not be read', async () => {
    let isAway = false;
    let readings = 0;
    let failures = 0;
    const follower = followJournal({
      journal: {
        read(after) {
          if (!isAway) return journal.read(after);
          failures += 1;
          return Promise.reject(new Error('away'));
        },
      },
      everyMs: 3_600_000,
      onRead: () => (readings += 1),
      log,
    });
    await until('the first reading', () => Promise.resolve(readings === 1));
    isAway = true;
    follower.wake();
    await until('a reading that fails', () => Promise.resolve(failures === 1));
    isAway = false;
    follower.wake();
    await until('another reading', () => Promise.resolve(readings === 2));
    await follower.close();
    expect([readings, failures]).toEqual([2, 1]);
  });
});
