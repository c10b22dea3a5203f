import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import iconv from 'iconv-lite';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type pg from 'pg';
import { pino } from 'pino';
import { parseFile } from '../adapters/file-drop/formats.ts';
import { FILE_DROP_MIGRATIONS, FILE_DROP_SCOPE } from '../adapters/file-drop/schema.sql.ts';
import { loadFile } from '../adapters/file-drop/store.ts';
import { migrate } from '../adapters/postgres/migrate.ts';
import { createPool } from '../adapters/postgres/pool.ts';
import { FEEDS, SYSTEM } from '../subgraphs/tax/source.ts';
import { createTestDatabases } from '../tests/kit/postgres.ts';

const CODE = '91120116MA9TYN024H';
const HEADER = '纳税人名称|纳税人识别号|评价年度|评价等级|评价机关|年度纳税额';
const lineWith = (grade: string) => `某𠮷公司|${CODE}|2025|${grade}|国家税务总局天津市税务局|0.00`;
const databases = createTestDatabases();
let pool: pg.Pool;
let url: string;
let nights = 0;

beforeAll(async () => {
  url = await databases.url('quarantine');
  pool = createPool({ url, max: 2, applicationName: 'test', log: pino({ level: 'silent' }) });
  await migrate(pool, FILE_DROP_SCOPE, FILE_DROP_MIGRATIONS);
});
beforeEach(async () => {
  await deliver([lineWith('E'), `有人|91120101MA9TYN016Y|2025|A|国家税务总局天津市税务局|1.00`]);
});
afterAll(async () => {
  await pool.end();
  await databases.close();
});

/** The next night's file. */
async function deliver(lines: readonly string[]): Promise<void> {
  const [feed] = FEEDS;
  if (!feed) throw new Error('the tax bureau delivers nothing');
  nights += 1;
  const businessDate = `2026-11-${String(nights).padStart(2, '0')}`;
  const content = iconv.encode([HEADER, ...lines].map((line) => `${line}\r\n`).join(''), 'gb18030');
  const name = `NSXYDJ_${businessDate.replaceAll('-', '')}.txt`;
  const file = { system: SYSTEM, feed, name, digest: name, businessDate };
  await loadFile(pool, { ...file, lines: parseFile(content, feed.format) }, new Date());
}

async function run(args: readonly string[], input = '', environment: NodeJS.ProcessEnv = {}) {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', join(import.meta.dirname, 'quarantine.ts'), ...args],
    {
      cwd: join(import.meta.dirname, '..'),
      env: { ...process.env, JINXIN_PLATFORM_URL: url, ...environment },
    },
  );
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [out, errors, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number]>,
  ]);
  return { out, errors, code };
}

const firstId = async () => /^\d+/.exec((await run(['list'])).out)?.[0] ?? 'none';
const gradesOf = async (subject: string) =>
  (
    await pool.query<{ grade: string }>(
      `SELECT record->>'评价等级' AS grade FROM file_drop_row WHERE subject = $1`,
      [subject],
    )
  ).rows.map(({ grade }) => grade);

describe('npm run quarantine', () => {
  it('lists what lies aside and why, and nothing of what stands in it', async () => {
    const { out, errors, code } = await run(['list']);
    const [, ...columns] = out.trimEnd().split('\t');
    expect(columns).toEqual([
      SYSTEM,
      'grades',
      expect.stringMatching(/^NSXYDJ_\d{8}\.txt:2$/),
      CODE,
      'has an unusable 评价等级',
    ]);
    expect([code, errors]).toEqual([0, expect.stringContaining('1 lines lie aside')]);
  });

  it('shows a line, takes its correction from standard input, and then has nothing left', async () => {
    const id = await firstId();
    expect(await run(['show', id])).toMatchObject({ code: 0, out: `${lineWith('E')}\n` });
    expect(await run(['resubmit', id], `${lineWith('D')}\r\n`)).toMatchObject({ code: 0 });
    expect(await gradesOf(CODE)).toEqual(['D']);
    expect((await run(['list'])).out).toBe('');
    expect(await run(['resubmit', id], lineWith('A'))).toMatchObject({ code: 1 });
    expect(await gradesOf(CODE)).toEqual(['D']);
  }, 60_000);

  it('leaves a line aside whose correction is no better, and says why', async () => {
    const id = await firstId();
    const { code, errors } = await run(['resubmit', id], lineWith('F'));
    expect([code, errors]).toEqual([1, expect.stringContaining('has an unusable 评价等级')]);
    expect(await firstId()).toBe(id);
    expect(await gradesOf(CODE)).toEqual([]);
  }, 60_000);

  it('lists no line of a file that another has replaced', async () => {
    const id = await firstId();
    await deliver([lineWith('B')]);
    expect((await run(['list'])).out).toBe('');
    expect(await run(['resubmit', id], lineWith('D'))).toMatchObject({
      code: 0,
      out: expect.stringContaining('newer file'),
    });
    expect(await gradesOf(CODE)).toEqual(['B']);
  }, 60_000);

  it.each([
    ['an entry that is none', ['resubmit', '1; DROP TABLE'], lineWith('D'), {}, 1, 'No open entry'],
    ['two lines', ['resubmit', '1'], `${lineWith('D')}\n${lineWith('D')}\n`, {}, 1, 'exactly one line'],
    ['nothing', ['resubmit', '1'], '', {}, 1, 'exactly one line'],
    [
      'a store that is not there',
      ['list'],
      '',
      { JINXIN_PLATFORM_URL: 'postgres://u:secret@127.0.0.1:1/none' },
      2,
      'ECONNREFUSED',
    ],
  ])('refuses %s', async (_, args, input, environment, code, words) => {
    const answer = await run(args, input, environment);
    expect(answer).toMatchObject({ code, errors: expect.stringContaining(words) });
    expect(answer.errors).not.toContain('secret');
  });
});
