/**
 * The supergraph is changed again and again under load, between two graphs whose answers say of which they are. Told are
 * requests that failed and answers that were mixed of two graphs (none may be), how long the first hundred requests after a
 * reload take beside those a while later, and what a reload leaves behind in memory.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { startGateway } from '../tests/kit/gateway.ts';
import type { GraphName } from '../tests/kit/two-graphs.ts';
import { askReady, askWhich, hashOf, putGraph, startTwoGraphs } from '../tests/kit/two-graphs.ts';
import { quantile, round } from './quantile.ts';

export interface ReloadFigures extends Readonly<Record<string, unknown>> {
  readonly failed: number;
  readonly mixed: number;
  /** p99 of the first hundred requests after each reload / p99 of as many when the graph was served for a while. */
  readonly p99: number;
  readonly heapSlopeMbPerReload: number;
}

const CLIENTS = 4;
/** Of a small gateway, far from its capacity: what is measured is the reload. */
const PACE_MS = 10;
const FIRST = 100;
/** Until then a process still grows into its work. */
const GROWING_SHARE = 0.2;

export async function reload(
  print: (line: string) => void,
  { reloads }: { readonly reloads: number },
): Promise<ReloadFigures> {
  const graphs = await startTwoGraphs();
  const gateway = await startGateway({
    supergraph: graphs.sdl.A,
    environment: { JINXIN_SUPERGRAPH_POLL_MS: '10', JINXIN_REQUESTS_PER_SECOND: '1000000' },
  });
  const collect = garbageCollector();
  const heaps: number[] = [];
  const counts = { failed: 0, mixed: 0, requests: 0 };
  const first: number[] = [];
  const warm: number[] = [];
  const during: number[] = [];
  let into: number[] = during;
  let isOver = false;

  async function client(): Promise<void> {
    while (!isOver) {
      const startedAt = performance.now();
      const list = into;
      const graph = await askWhich(gateway.url).catch(() => null);
      list.push(performance.now() - startedAt);
      counts.requests += 1;
      if (graph === null) counts.failed += 1;
      if (graph === 'mixed') counts.mixed += 1;
      await pause(Math.max(0, PACE_MS - (performance.now() - startedAt)));
    }
  }
  const filled = async (list: number[], count: number) => {
    const until = list.length + count;
    into = list;
    while (list.length < until) await pause(5);
  };

  try {
    const clients = Array.from({ length: CLIENTS }, client);
    await filled(during, 500);
    for (let at = 1; at <= reloads; at++) {
      const graph: GraphName = at % 2 === 1 ? 'B' : 'A';
      into = during;
      await putGraph(gateway, graphs.sdl[graph]);
      while ((await askReady(gateway.url)).hash !== hashOf(graphs.sdl[graph])) await pause(5);
      await filled(first, FIRST);
      await filled(warm, FIRST);
      collect();
      heaps.push(process.memoryUsage().heapUsed / 2 ** 20);
      if (at % Math.max(1, Math.floor(reloads / 10)) === 0)
        print(`  ${at} reloads: heap ${round(heaps.at(-1) ?? 0)} MB, ${counts.requests} requests`);
    }
    isOver = true;
    await Promise.all(clients);
  } finally {
    isOver = true;
    await gateway.close();
    await graphs.close();
  }
  const grown = heaps.slice(Math.floor(heaps.length * GROWING_SHARE));
  const figures = {
    failed: counts.failed,
    mixed: counts.mixed,
    p99: round(quantile(first, 0.99) / quantile(warm, 0.99)),
    heapSlopeMbPerReload: Math.round(slopeOf(grown) * 10_000) / 10_000,
    reloads,
    requests: counts.requests,
    firstP99Ms: round(quantile(first, 0.99)),
    warmP99Ms: round(quantile(warm, 0.99)),
    duringP99Ms: round(quantile(during, 0.99)),
    duringWorstMs: round(Math.max(...during.slice(500))),
  };
  print(
    `${reloads} reloads under load, ${figures.requests} requests: ${figures.failed} failed, ${figures.mixed} mixed`,
  );
  print(
    `  p99 of the first ${FIRST} after a reload ${figures.firstP99Ms} ms, warm ${figures.warmP99Ms} ms: ${figures.p99}; while it is loaded ${figures.duringP99Ms} ms`,
  );
  print(`  heap ${figures.heapSlopeMbPerReload} MB a reload`);
  return figures;
}

export default function main(
  print: (line: string) => void,
  flags: readonly string[],
): Promise<ReloadFigures> {
  const at = flags.indexOf('--reloads');
  return reload(print, { reloads: at === -1 ? 1_000 : Number(flags[at + 1]) });
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** The process was not started with a handle to it. */
function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

/** Least squares, per step. */
function slopeOf(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const over = values.reduce((sum, value, at) => sum + (at - middle) * (value - mean), 0);
  const under = values.reduce((sum, _, at) => sum + (at - middle) ** 2, 0);
  return under === 0 ? 0 : over / under;
}
