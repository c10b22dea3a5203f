/** One interleaved run: every contestant in every round, in turn and back (ABBA), with the counts of the subgraphs beside. */
import { isDeepStrictEqual } from 'node:util';
import { quantile } from '../quantile.ts';
import type { Contestant, ContestantKind } from './contestants.ts';
import type { Load } from './load.ts';
import { CONNECTIONS, createLoad } from './load.ts';
import { cpuMsOf, peakRssMbOf } from './process.ts';
import type { Subgraphs } from './subgraphs.ts';

/** What one contestant did in one round. */
export interface Slice {
  readonly cpuMs: number;
  readonly requestsPerSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly calls: number;
  readonly representations: number;
}

export interface Measured {
  readonly kind: ContestantKind;
  readonly slices: readonly Slice[];
  readonly peakRssMb: number;
}

export interface Pace {
  readonly rounds: number;
  /** CPU milliseconds that a contestant is to spend in a round, and in its warm-up. */
  readonly sliceMs: number;
  readonly warmUpMs: number;
}

/** Every connection asks at least once a round. */
const FEWEST = CONNECTIONS;

/** Contestants whose answer differs from the first one's are not measured. */
export async function measure(
  contestants: readonly Contestant[],
  bodies: readonly string[],
  { rounds, sliceMs, warmUpMs }: Pace,
  subgraphs: Subgraphs,
): Promise<readonly Measured[]> {
  const lanes = contestants.map((contestant) => ({
    contestant,
    load: createLoad(contestant),
    slices: [] as Slice[],
    requests: 0,
  }));
  try {
    await assertEqualAnswers(lanes, bodies);
    for (const lane of lanes) {
      const cost = await warmUp(lane.contestant, lane.load, bodies, warmUpMs);
      lane.requests = Math.max(FEWEST, Math.round(sliceMs / cost));
    }
    for (let round = 0; round < rounds; round++)
      for (const lane of round % 2 === 0 ? lanes : lanes.toReversed())
        lane.slices.push(await slice(lane.contestant, lane.load, bodies, lane.requests, subgraphs));
    return lanes.map(({ contestant, slices }) => ({
      kind: contestant.kind,
      slices,
      peakRssMb: peakRssMbOf(contestant.process.pid),
    }));
  } finally {
    await Promise.all(lanes.map(({ load }) => load.close()));
  }
}

/** Every variant is asked of everybody: what is compared must be the same work, and be right. */
async function assertEqualAnswers(
  lanes: readonly { readonly contestant: Contestant; readonly load: Load }[],
  bodies: readonly string[],
): Promise<void> {
  for (const body of bodies) {
    const answers = await Promise.all(lanes.map(({ load }) => load.ask(body)));
    answers.forEach((answer, at) => {
      if (!isDeepStrictEqual(dataOf(answer), dataOf(answers[0])))
        throw new Error(`${lanes[at]?.contestant.kind ?? ''} answers differently: it is not measured`);
    });
  }
}

const dataOf = (answer: unknown) => (answer as { data?: unknown }).data;

/** Until it has spent so much CPU; its cost per request at the end, in milliseconds. */
async function warmUp(
  { process }: Contestant,
  load: Load,
  bodies: readonly string[],
  warmUpMs: number,
): Promise<number> {
  const startedAt = cpuMsOf(process.pid);
  let requests = bodies.length;
  for (;;) {
    const before = cpuMsOf(process.pid);
    await load.run(bodies, requests);
    const now = cpuMsOf(process.pid);
    const cost = Math.max(0.02, (now - before) / requests);
    const left = warmUpMs - (now - startedAt);
    if (left <= 0) return cost;
    requests = Math.max(FEWEST, Math.round(Math.min(left, warmUpMs / 3) / cost));
  }
}

async function slice(
  { process }: Contestant,
  load: Load,
  bodies: readonly string[],
  requests: number,
  subgraphs: Subgraphs,
): Promise<Slice> {
  const asked = await subgraphs.counts();
  const before = cpuMsOf(process.pid);
  const { seconds, latencies } = await load.run(bodies, requests);
  const cpu = cpuMsOf(process.pid) - before;
  const { calls, representations } = await subgraphs.counts();
  return {
    cpuMs: cpu / requests,
    requestsPerSecond: requests / seconds,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    calls: (calls - asked.calls) / requests,
    representations: (representations - asked.representations) / requests,
  };
}

export type FigureOfSlice = keyof Slice;

export function medianOf({ slices }: Measured, figure: FigureOfSlice): number {
  return quantile(
    slices.map((one) => one[figure]),
    0.5,
  );
}

/** Median of the rounds' ratios: what moved both in a round, the machine's other work, moves none of them. */
export function ratioOf(ours: Measured, theirs: Measured): number {
  return quantile(
    ours.slices.map(({ cpuMs }, at) => cpuMs / (theirs.slices[at]?.cpuMs ?? NaN)),
    0.5,
  );
}
