/**
 * The supergraph is changed under load, again and again: does a request fail, does one see both graphs, and how slow are the
 * first hundred after each? The two graphs differ in where their subgraphs are; those of the second date everything a day later,
 * so that an answer tells by which graph it was made.
 */
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Pool } from 'undici';
import { quantile, round } from '../quantile.ts';
import { LATER, USUAL } from './graphs/credit.ts';
import { composeGraph } from './graphs/graph.ts';
import type { Contestant } from './contestants.ts';
import { startContestant } from './contestants.ts';
import { rssMbOf } from './process.ts';
import type { Surroundings } from './run.ts';
import { onStage } from './run.ts';
import type { Work } from './works.ts';

export interface Reloads {
  readonly reloads: number;
  readonly failed: number;
  /** Answers that were made by both graphs. */
  readonly mixed: number;
  /** p99 of the first 100 requests after a reload, all reloads together, over that of the others. */
  readonly p99: number;
  /** Growth of what the process holds, over the second half of the reloads. */
  readonly mbPerReload: number;
}

interface Answer {
  readonly graph: 'usual' | 'later' | 'both' | 'failed';
  readonly ms: number;
}

const FIRST = 100;
const WIDTH = 8;
const WITHIN_MS = 10_000;

/** null: the gateway does not see that its file changed. `work`: one that shows dates, such as the check. */
export async function measureReload(
  work: Work,
  surroundings: Surroundings,
  { reloads }: { reloads: number },
): Promise<Reloads | null> {
  return onStage(work, surroundings, async (stage) => {
    const contestant = await startContestant('jinxin', stage);
    const sdlOf = (isLater: boolean) =>
      composeGraph(stage.graph, (name) => stage.subgraphs.urlOf(name, isLater ? 'later' : 'plain'), {
        withPolicies: false,
      });
    const [usual, later] = [sdlOf(false), sdlOf(true)];
    /** As an operator does it: whoever reads sees the old file or the new one. */
    const put = async (sdl: string) => {
      await writeFile(join(stage.folder, 'next.graphql'), sdl);
      await rename(join(stage.folder, 'next.graphql'), join(stage.folder, 'plain.graphql'));
    };
    const asking = askOn(contestant, work.bodies);
    try {
      await asking.settled();
      const first: number[] = [];
      const others: number[] = [];
      const memory: number[] = [];
      let [failed, mixed] = [0, 0];
      const take = (answers: readonly Answer[], into: number[]) => {
        for (const { graph, ms } of answers) {
          if (graph === 'failed') failed++;
          if (graph === 'both') mixed++;
          into.push(ms);
        }
      };
      for (let at = 0; at < reloads; at++) {
        take(asking.drain(), others);
        const isLater = at % 2 === 0;
        await put(isLater ? later : usual);
        const seen = await asking.untilGraph(isLater ? 'later' : 'usual', WITHIN_MS);
        if (!seen) return at === 0 ? null : { ...toFigures(), failed: failed + 1 };
        take(seen.before, others);
        take([...seen.after, ...(await asking.next(FIRST - seen.after.length))], first);
        await asking.next(FIRST);
        memory.push(rssMbOf(contestant.process.pid));
      }
      function toFigures(): Reloads {
        const half = memory.slice(Math.floor(memory.length / 2));
        return {
          reloads: memory.length,
          failed,
          mixed,
          p99: round(quantile(first, 0.99) / quantile(others, 0.99)),
          mbPerReload: round(((half.at(-1) ?? NaN) - (half[0] ?? NaN)) / Math.max(1, half.length - 1)),
        };
      }
      return toFigures();
    } finally {
      await asking.stop();
      await contestant.process.stop();
    }
  });
}

/** A steady load of a few connections, whose answers are handed out as they come. */
function askOn({ url, headers }: Contestant, bodies: readonly string[]) {
  const { origin, pathname: path } = new URL(url);
  const pool = new Pool(origin, { connections: WIDTH });
  let answers: Answer[] = [];
  let isStopped = false;
  let sent = 0;

  async function ask(body: string): Promise<Answer> {
    const sentAt = performance.now();
    try {
      const response = await pool.request({ method: 'POST', path, headers, body });
      const text = await response.body.text();
      const ms = performance.now() - sentAt;
      if (response.statusCode !== 200 || text.includes('"errors":')) return { graph: 'failed', ms };
      const [isUsual, isLater] = [text.includes(USUAL), text.includes(LATER)];
      if (isUsual && isLater) return { graph: 'both', ms };
      return { graph: isLater ? 'later' : 'usual', ms };
    } catch {
      return { graph: 'failed', ms: performance.now() - sentAt };
    }
  }
  const lanes = Array.from({ length: WIDTH }, async () => {
    while (!isStopped) answers.push(await ask(bodies[sent++ % bodies.length] as string));
  });
  const drain = () => {
    const drained = answers;
    answers = [];
    return drained;
  };
  async function next(count: number): Promise<readonly Answer[]> {
    while (answers.length < count) await pause(2);
    return drain();
  }
  return {
    drain,
    next,
    /** Warm: the gateway's code, and the stubs' answers of both kinds are not measured. */
    settled: async () => void (await next(2_000)),
    /** Answers until the first of this graph, and from it on; null when none came in time. */
    async untilGraph(graph: Answer['graph'], withinMs: number) {
      const before: Answer[] = [];
      for (const until = performance.now() + withinMs; performance.now() < until;) {
        const some = drain();
        const at = some.findIndex((one) => one.graph === graph);
        if (at >= 0) return { before: [...before, ...some.slice(0, at)], after: some.slice(at) };
        before.push(...some);
        await pause(2);
      }
      return null;
    },
    async stop(): Promise<void> {
      isStopped = true;
      await Promise.all(lanes);
      await pool.destroy();
    },
  };
}
