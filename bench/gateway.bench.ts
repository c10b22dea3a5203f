/**
 * Jinxin beside its peers and a server written by hand, in one interleaved run: what a request costs each, in CPU, time, memory
 * and calls to subgraphs. README.md says how to read it.
 *
 * `--quick`: the deep query without a cache, of those that the targets name; fifty seconds. `--only deep,check`: some works.
 * `--size test`: everything, too short to mean anything. A whole run writes RESULTS.md and RESULTS.svg.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startEmbeddedPostgres } from '../adapters/postgres/embedded.ts';
import { ensureServices } from '../scripts/services/ensure.ts';
import { toChart } from './gateway/chart.ts';
import { measureElsewhere, NOT_MEASURED } from './gateway/elsewhere.ts';
import type { GatewayFigures } from './gateway/figures.ts';
import { toFigures } from './gateway/figures.ts';
import { describeMachine } from './gateway/machine.ts';
import { DISTINCT, MODES, QUICK } from './gateway/modes.ts';
import { pinSelf } from './gateway/process.ts';
import { toMarkdown, toTable } from './gateway/report.ts';
import type { Result } from './gateway/run.ts';
import { run } from './gateway/run.ts';
import { startSubgraphs } from './gateway/subgraphs.ts';
import { WORKS } from './gateway/works.ts';
import { installPeers } from './peers.ts';

type Print = (line: string) => void;

const QUICK_PACE = { rounds: 7, sliceMs: 300, warmUpMs: 1_500 };
const SIZES = {
  bench: { rounds: 7, sliceMs: 500, warmUpMs: 2_000, overloadSeconds: 60, reloads: 1_000 },
  test: { rounds: 1, sliceMs: 50, warmUpMs: 100, overloadSeconds: 3, reloads: 4 },
};

export default async function gateway(
  print: Print,
  flags: readonly string[],
): Promise<GatewayFigures & Record<string, unknown>> {
  const { quick, works, size, isWhole } = readFlags(flags);
  const machine = describeMachine(new Date());
  for (const line of machine) print(line);
  const peers = await installPeers(print);
  const closers: (() => Promise<unknown>)[] = [];
  try {
    pinSelf();
    const postgres = await startEmbeddedPostgres();
    closers.push(() => postgres.stop());
    const subgraphs = await startSubgraphs();
    closers.push(() => subgraphs.stop());
    const platformUrl = postgres.url('postgres');
    if (quick) {
      const result = await run(WORKS[0], QUICK, QUICK_PACE, {
        subgraphs,
        peers,
        platformUrl,
        redisUrl: null,
      });
      print(toTable(result));
      return { ...toFigures([result], NOT_MEASURED) };
    }
    const services = await startRedis(print);
    closers.push(() => services.stop());
    const redisUrl = services.environment['JINXIN_TEST_REDIS_URL'] ?? null;
    const surroundings = { subgraphs, peers, platformUrl, redisUrl };
    const results: Result[] = [];
    for (const work of works)
      for (const mode of MODES) {
        const result = await run(work, mode, SIZES[size], surroundings);
        print(toTable(result));
        results.push(result);
      }
    const folder = isWhole && size === 'bench' ? import.meta.dirname : join(import.meta.dirname, 'out');
    // Written before the rest, too: what was measured in a quarter of an hour is not lost with it.
    await writeResults(folder, results, toFigures(results, NOT_MEASURED), machine);
    const elsewhere = isWhole ? await measureElsewhere(surroundings, SIZES[size], print) : NOT_MEASURED;
    const figures = toFigures(results, elsewhere);
    await writeResults(folder, results, figures, machine);
    print(`\n${join(folder, 'RESULTS.md')}`);
    return { ...figures };
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

function readFlags(flags: readonly string[]) {
  const { values } = parseArgs({
    args: [...flags],
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      size: { type: 'string', default: 'bench' },
    },
  });
  const { quick, only, size } = values;
  if (size !== 'bench' && size !== 'test') throw new Error('--size is bench or test');
  const names: readonly string[] = only?.split(',') ?? WORKS.map(({ name }) => name);
  const works = WORKS.filter(({ name }) => names.includes(name));
  if (works.length < names.length)
    throw new Error(`--only names some of ${WORKS.map(({ name }) => name).join(', ')}`);
  return { quick, works, size, isWhole: works.length === WORKS.length } as const;
}

/** Redis alone of the servers that tests have, installed where it is missing and may be. */
function startRedis(print: Print) {
  const others = { JINXIN_TEST_POSTGRES_URL: 'not asked', JINXIN_TEST_MARIADB_URL: 'not asked' };
  return ensureServices({
    environment: { ...process.env, ...others },
    isRoot: process.getuid?.() === 0,
    say: print,
  });
}

async function writeResults(
  folder: string,
  results: readonly Result[],
  figures: GatewayFigures,
  machine: readonly string[],
): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'RESULTS.md'), toMarkdown(results, figures, machine));
  const chart = toChart(
    results.filter(({ mode }) => mode.name === DISTINCT.name),
    'CPU milliseconds per request, one process each',
    `${DISTINCT.title}; shorter is better; each panel has its own scale`,
  );
  await writeFile(join(folder, 'RESULTS.svg'), chart);
}
