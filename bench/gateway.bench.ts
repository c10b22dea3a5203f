/**
 * Jinxin beside its peers and a server written by hand, in one interleaved run: what a request costs each, in CPU, time, memory
 * and calls to subgraphs. See README.md for how to read it.
 *
 * `--quick`: the deep query without a cache, of those that the targets name; at most fifty seconds.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startEmbeddedPostgres } from '../adapters/postgres/embedded.ts';
import type { ContestantKind } from './gateway/contestants.ts';
import { startContestant } from './gateway/contestants.ts';
import { measure, ratioOf } from './gateway/measure.ts';
import { pinSelf } from './gateway/process.ts';
import { toTable } from './gateway/report.ts';
import { startSubgraphs } from './gateway/subgraphs.ts';
import { WORKS } from './gateway/works.ts';
import { installPeers } from './peers.ts';
import { round } from './quantile.ts';

const QUICK: readonly ContestantKind[] = ['handwritten', 'jinxin', 'jinxinFull', 'hiveRust', 'apollo'];
const QUICK_PACE = { rounds: 7, sliceMs: 300, warmUpMs: 1_500 };

export default async function gateway(print: (line: string) => void, flags: readonly string[]) {
  parseArgs({ args: [...flags], options: { quick: { type: 'boolean', default: false } } });
  const peers = await installPeers(print);
  const folder = await mkdtemp(join(tmpdir(), 'jinxin-bench-'));
  pinSelf();
  const postgres = await startEmbeddedPostgres();
  const subgraphs = await startSubgraphs();
  try {
    const [work] = WORKS;
    const stage = {
      graph: work.graph,
      subgraphs,
      peers,
      folder,
      platformUrl: postgres.url('postgres'),
      redisUrl: null,
    };
    const contestants = await Promise.all(QUICK.map((kind) => startContestant(kind, stage)));
    const measured = await measure(contestants, work.bodies, QUICK_PACE, subgraphs);
    print(toTable(work.title, measured));
    const of = (kind: ContestantKind) => {
      const found = measured.find((one) => one.kind === kind);
      if (!found) throw new Error(`${kind} was not measured`);
      return found;
    };
    return {
      uncached: {
        handwritten: round(ratioOf(of('jinxin'), of('handwritten'))),
        handwrittenFull: round(ratioOf(of('jinxinFull'), of('handwritten'))),
        hiveRust: round(ratioOf(of('jinxin'), of('hiveRust'))),
        apollo: round(ratioOf(of('jinxin'), of('apollo'))),
      },
      rssMb: Math.round(of('jinxin').peakRssMb),
    };
  } finally {
    await subgraphs.stop();
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
