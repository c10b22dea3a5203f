/**
 * `npm run quarantine -- list | show <id> | resubmit <id> < corrected-line.txt`: lines of nightly files that were set aside.
 * As long as one lies there, what is known of its subject is unknown; an officer corrects it with the department.
 */
import { Command } from 'commander';
import iconv from 'iconv-lite';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { pino } from 'pino';
import type { Pool } from 'pg';
import type { Feed } from '../adapters/file-drop/feed.ts';
import { listQuarantine, readQuarantinedLine } from '../adapters/file-drop/quarantine.ts';
import { resubmitLine } from '../adapters/file-drop/store.ts';
import { createPool } from '../adapters/postgres/pool.ts';
import { openAnnouncements } from '../subgraphs/announcements.ts';
import { departmentNames } from '../subgraphs/discover.ts';

const DEPARTMENTS = join(import.meta.dirname, '../subgraphs');

const command = new Command('quarantine')
  .description('Lines of nightly files that were set aside. 待更正的交换文件行。')
  .option('--url <postgres>', 'the platform’s PostgreSQL', process.env['JINXIN_PLATFORM_URL']);
command
  .command('list')
  .description('what lies aside, and why; nothing of what stands in the lines')
  .action(() => withStore(list));
command
  .command('show')
  .argument('<id>')
  .description('the line as it was delivered; it may hold personal data')
  .action((id: string) => withStore((pool) => show(pool, id)));
command
  .command('resubmit')
  .argument('<id>')
  .description(
    'hands the line in again, corrected: the whole line in UTF-8 on standard input, never as an argument',
  )
  .action((id: string) => withStore((pool) => resubmit(pool, id)));
await command.parseAsync();

async function withStore(work: (pool: Pool) => Promise<string | null>): Promise<void> {
  const { url } = command.opts<{ url?: string }>();
  if (url === undefined) {
    fail(2, 'JINXIN_PLATFORM_URL 未设置。 Set JINXIN_PLATFORM_URL, or give --url.');
    return;
  }
  const log = pino({ level: 'silent' });
  const pool = createPool({ url, max: 1, applicationName: 'jinxin-quarantine', log });
  try {
    const problem = await work(pool);
    if (problem !== null) fail(1, problem);
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    // The database's own message may quote a line.
    fail(
      2,
      `数据库无法读取。 The store could not be read or written (${typeof code === 'string' ? code : 'unknown'}).`,
    );
  } finally {
    await pool.end();
  }
}

function fail(code: number, problem: string): void {
  console.error(problem);
  process.exitCode = code;
}

async function list(pool: Pool): Promise<null> {
  const lines = await listQuarantine(pool);
  for (const { id, system, feed, file, line, subject, reason } of lines)
    console.log([id, system, feed, `${file}:${line}`, subject || '?', reason].join('\t'));
  console.error(`${lines.length} 行待更正。 ${lines.length} lines lie aside.`);
  return null;
}

async function show(pool: Pool, id: string): Promise<string | null> {
  const line = isId(id) ? await readQuarantinedLine(pool, id) : null;
  if (line === null) return unknown(id);
  console.log(line);
  return null;
}

async function resubmit(pool: Pool, id: string): Promise<string | null> {
  const lines = (await text(process.stdin)).replace(/\r?\n$/, '').split(/\r?\n/);
  const [line = ''] = lines;
  if (lines.length > 1 || line === '')
    return '标准输入须恰为一行。 Standard input must hold exactly one line.';
  const deliverers = await readDeliverers();
  let department: string | null = null;
  const result = isId(id)
    ? await resubmitLine(
        pool,
        (system, name) => {
          const deliverer = deliverers.get(system);
          department = deliverer?.department ?? null;
          return deliverer?.feeds.find((feed) => feed.name === name);
        },
        id,
        iconv.encode(line, 'gb18030'),
        new Date(),
      )
    : { outcome: 'unknown' as const };
  switch (result.outcome) {
    case 'loaded':
      await announce(department);
      console.log('已更正。 The line was taken.');
      return null;
    case 'superseded':
      console.log('文件已被更新的文件取代，无须更正。 A newer file has taken its place: nothing to correct.');
      return null;
    case 'unknown':
      return unknown(id);
    case 'still-bad':
      return `更正后仍不可用。 It cannot be taken either: it ${result.reason}.`;
  }
}

/** What gateways keep of the department is asked for anew: whose line it was, only its feed could tell. */
async function announce(department: string | null): Promise<void> {
  const { url: platformUrl = '' } = command.opts<{ url?: string }>();
  const redisUrl = process.env['REDIS_URL'] ?? null;
  const announcements = openAnnouncements({ platformUrl, redisUrl, log: pino({ level: 'silent' }) });
  try {
    await announcements.announce([{ department, subject: null }]);
  } finally {
    await announcements.close();
  }
}

interface Deliverer {
  readonly department: string;
  readonly feeds: readonly Feed[];
}

/** By the system that delivers: every department whose source.ts says what it is delivered. */
async function readDeliverers(): Promise<ReadonlyMap<string, Deliverer>> {
  const deliverers = new Map<string, Deliverer>();
  for (const department of departmentNames()) {
    const file = join(DEPARTMENTS, department, 'source.ts');
    const source = (await import(pathToFileURL(file).href)) as { SYSTEM?: string; FEEDS?: readonly Feed[] };
    if (source.SYSTEM !== undefined && source.FEEDS !== undefined)
      deliverers.set(source.SYSTEM, { department, feeds: source.FEEDS });
  }
  return deliverers;
}

function isId(id: string): boolean {
  return /^\d{1,18}$/.test(id);
}

function unknown(id: string): string {
  return `没有待更正的第 ${id} 项。 No open entry ${id}.`;
}
