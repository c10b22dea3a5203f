/**
 * Whether anything is disclosed of which there is no record: a process that discloses is killed with SIGKILL at seeded random
 * moments while clients ask it, and its disks run full. Clients keep every answer that they got whole; afterwards each must
 * have its record, under a published head, and the log must verify.
 */
import { build } from 'esbuild';
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { Pool as HttpPool } from 'undici';
import { startEmbeddedPostgres } from '../../adapters/postgres/embedded.ts';
import { migrate } from '../../adapters/postgres/migrate.ts';
import { createPool } from '../../adapters/postgres/pool.ts';
import { AUDIT_MIGRATIONS, makePartitions } from '../../gateway/evidence/audit-tables.ts';
import { verifyAuditAt } from '../../tests/kit/audit.ts';
import { measureAppend } from './evidence/append-time.ts';
import { runFullDisks } from './evidence/full-disk.ts';
import { randomFor } from '../../simulators/population/random.ts';
import type { Figures, PartOptions } from './shared/part.ts';

const SIZES = {
  bench: { kills: 1_000, careless: 20, appends: 1_000 },
  test: { kills: 12, careless: 4, appends: 40 },
};
/** Processes at once, on one log and one file of heads, as gateways are. */
const PROCESSES = 3;
const CLIENTS = 6;
/** Milliseconds within which a life ends, after its first answer or, one in five, after its first question. */
const LONGEST_LIFE_MS = 100;
const LONGEST_BIRTH_MS = 250;

export default async function kills(options: PartOptions): Promise<Figures> {
  const { seed, print } = options;
  const size = SIZES[options.size];
  const folder = await mkdtemp(join(tmpdir(), 'jinxin-kills-'));
  const postgres = await startEmbeddedPostgres();
  try {
    const program = join(folder, 'discloser.cjs');
    await buildDiscloser(program);
    const run = async (name: string, lives: number, careless: boolean) => {
      const site = {
        url: await postgres.createDatabase(name),
        heads: join(folder, `${name}.jsonl`),
        careless,
      };
      await prepare(site.url);
      return { ...(await live({ ...site, program, lives, seed: `${seed}-${name}` })), ...site };
    };
    const careful = await run('careful', size.kills, false);
    const verdict = await verifyAuditAt(careful.url, careful.heads, 2_000);
    print(
      `kills: ${careful.kills} × SIGKILL in ${PROCESSES} processes; ${careful.answered.size} answers kept, ${careful.cut} questions cut off; ${careful.unlogged} answers without a record; ${verdict.records} records, ${verdict.breaches} breaches`,
    );
    const careless = await run('careless', size.careless, true);
    print(
      `kills, control: a process that answers first, ${careless.kills} kills: ${careless.unlogged} answers without a record`,
    );
    const disks = await runFullDisks({ seed, print });
    const appended = await measureAppend({ appends: size.appends, print });
    return {
      unloggedDisclosures: careful.unlogged + disks.unlogged + verdict.breaches,
      kills: careful.kills,
      killAnswers: careful.answered.size,
      killsCutOff: careful.cut,
      carelessFound: careless.unlogged,
      fullDisks: disks.disks,
      answersWhileFull: disks.answersWhileFull,
      auditP50Ms: appended.aloneMs,
      auditBusyP50Ms: appended.busyMs,
      auditDiskP50Ms: appended.diskMs,
    };
  } finally {
    await postgres.stop();
    await rm(folder, { recursive: true });
  }
}

/** One file without types, so that a life begins in a tenth of a second. */
async function buildDiscloser(outfile: string): Promise<void> {
  await build({
    entryPoints: [join(import.meta.dirname, 'evidence/discloser.ts')],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    external: ['pg-native'],
    logLevel: 'error',
    outfile,
  });
}

async function prepare(url: string): Promise<void> {
  const pool = createPool({ url, max: 1, applicationName: 'kills', log: pino({ level: 'silent' }) });
  await migrate(pool, 'evidence', AUDIT_MIGRATIONS);
  await makePartitions(pool, new Date());
  await pool.end();
}

interface Site {
  readonly program: string;
  readonly url: string;
  readonly heads: string;
  readonly careless: boolean;
}

/** Lets processes live and die until `lives` were killed. */
async function live({ lives, seed, ...site }: Site & { lives: number; seed: string }) {
  const answered = new Set<string>();
  let [begun, kills, cut] = [0, 0, 0];
  const work = async () => {
    while (begun < lives) {
      const life = begun++;
      const random = randomFor(seed, 'kills', `life ${life}`);
      const plan = random.chance(0.2)
        ? { from: 'question' as const, ms: random.int(0, LONGEST_BIRTH_MS) }
        : { from: 'answer' as const, ms: random.int(0, LONGEST_LIFE_MS) };
      const ended = await liveOnce(site, `${seed}-${life}`, plan);
      for (const id of ended.answered) answered.add(id);
      cut += ended.cut;
      kills += 1;
    }
  };
  await Promise.all(Array.from({ length: PROCESSES }, work));
  return { answered, kills, cut, unlogged: await countUnlogged(site, answered) };
}

async function liveOnce(site: Site, name: string, plan: { from: 'question' | 'answer'; ms: number }) {
  const child = spawn(process.execPath, [site.program], {
    env: {
      PATH: process.env['PATH'],
      DISCLOSER_URL: site.url,
      DISCLOSER_HEADS: site.heads,
      DISCLOSER_CARELESS: String(site.careless),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const port = await portOf(child);
  const http = new HttpPool(`http://127.0.0.1:${port}`, { connections: CLIENTS });
  const answered: string[] = [];
  let cut = 0;
  let timer: NodeJS.Timeout | null = null;
  const planKill = (at: 'question' | 'answer') => {
    if (plan.from === at) timer ??= setTimeout(() => child.kill('SIGKILL'), plan.ms);
  };
  planKill('question');
  const ask = async (client: number) => {
    for (let at = 0; ; at++) {
      const id = `${name}-${client}-${at}`;
      try {
        const { statusCode, body } = await http.request({ method: 'GET', path: `/${id}` });
        // Only an answer that came whole was given to somebody.
        if ((await body.text()) === id && statusCode === 200) answered.push(id);
        planKill('answer');
      } catch {
        cut += 1;
        return;
      }
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, (_, client) => ask(client)));
  const [, signal] = (await exited) as [number | null, NodeJS.Signals | null];
  await http.destroy();
  if (signal !== 'SIGKILL') throw new Error('the discloser ended by itself');
  return { answered, cut };
}

async function portOf(child: ChildProcess): Promise<number> {
  const ended = once(child, 'exit').then(() => {
    throw new Error('the discloser did not start');
  });
  const [line] = (await Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), ended])) as [
    Buffer,
  ];
  return Number(line.toString());
}

/** Answers that somebody got of which the log holds no record, or one behind the last published head. */
async function countUnlogged({ url, heads }: Site, answered: ReadonlySet<string>): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ id: string; seq: string }>('SELECT id, seq FROM evidence.audit_log');
  await client.end();
  // No file: no process lived to publish a head.
  const published = (await readFile(heads, 'utf8').catch(() => '')).match(/"seq":\d+/g) ?? [];
  const furthest = Math.max(0, ...published.map((text) => Number(text.slice('"seq":'.length))));
  const logged = new Set(rows.filter(({ seq }) => Number(seq) <= furthest).map(({ id }) => id));
  return [...answered].filter((id) => !logged.has(id)).length;
}
