/** One work in one mode: its contestants are started, compared, measured in turn, and stopped. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Contestant, ContestantKind, Stage } from './contestants.ts';
import { CONTESTANTS, startContestant } from './contestants.ts';
import type { Measured, Pace } from './measure.ts';
import { measure } from './measure.ts';
import type { Mode } from './modes.ts';
import type { Work } from './works.ts';

/** What all works and modes share. */
export type Surroundings = Omit<Stage, 'graph' | 'folder'>;

export interface Result {
  readonly work: Work;
  readonly mode: Mode;
  readonly measured: readonly Measured[];
}

export async function run(work: Work, mode: Mode, pace: Pace, surroundings: Surroundings): Promise<Result> {
  return onStage(work, surroundings, async (stage) => {
    const kinds = mode.contestants.filter((kind) => CONTESTANTS[kind].start !== null);
    const contestants = await startAll(kinds, stage);
    try {
      const bodies = mode.isOneVariant ? work.bodies.slice(0, 1) : work.bodies;
      return { work, mode, measured: await measure(contestants, bodies, pace, surroundings.subgraphs) };
    } finally {
      await Promise.all(contestants.map(({ process }) => process.stop()));
    }
  });
}

/** A folder for the files of a stage, gone with it. */
export async function onStage<T>(
  work: Work,
  surroundings: Surroundings,
  act: (stage: Stage) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'jinxin-bench-'));
  try {
    return await act({ ...surroundings, graph: work.graph, folder });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** All of them, or none: one that does not start takes the others with it. */
async function startAll(kinds: readonly ContestantKind[], stage: Stage): Promise<readonly Contestant[]> {
  const started = await Promise.allSettled(kinds.map((kind) => startContestant(kind, stage)));
  const contestants = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const failed = started.find((one) => one.status === 'rejected');
  if (!failed) return contestants;
  await Promise.all(contestants.map(({ process }) => process.stop()));
  throw failed.reason;
}
