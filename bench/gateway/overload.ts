/**
 * Three times what it can take, for a minute: how much of its best it still delivers, and how those are told whom it does not
 * serve. An open loop: requests come when they come, whether or not those before them were answered.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Pool } from 'undici';
import { quantile, round } from '../quantile.ts';
import type { Contestant } from './contestants.ts';
import { startContestant } from './contestants.ts';
import { createLoad } from './load.ts';
import type { Surroundings } from './run.ts';
import { onStage } from './run.ts';
import type { Work } from './works.ts';

export interface Overload {
  /** Answers per second under overload over those at its best; null: it sheds nothing, so there is nothing to tell of. */
  readonly goodput: number | null;
  readonly shed: number;
  readonly shedP99Ms: number | null;
}

const TIMES = 3;
const TICK_MS = 5;
/** A client that cannot open another connection has given up. */
const MOST_IN_FLIGHT = 4_000;

export async function measureOverload(
  work: Work,
  surroundings: Surroundings,
  { seconds }: { seconds: number },
): Promise<Overload> {
  return onStage(work, surroundings, async (stage) => {
    const contestant = await startContestant('jinxin', stage);
    try {
      const capacity = await capacityOf(contestant, work.bodies);
      const { good, shedMs } = await flood(contestant, work.bodies, TIMES * capacity, seconds);
      return {
        goodput: shedMs.length > 0 ? round(good / seconds / capacity) : null,
        shed: shedMs.length,
        shedP99Ms: shedMs.length > 0 ? round(quantile(shedMs, 0.99)) : null,
      };
    } finally {
      await contestant.process.stop();
    }
  });
}

/** Answers per second of a closed loop, warm. */
async function capacityOf(contestant: Contestant, bodies: readonly string[]): Promise<number> {
  const load = createLoad(contestant);
  try {
    await load.run(bodies, 500);
    const { seconds } = await load.run(bodies, 500);
    const { seconds: again } = await load.run(bodies, Math.ceil((500 / seconds) * 5));
    return Math.ceil((500 / seconds) * 5) / again;
  } finally {
    await load.close();
  }
}

async function flood(
  { url, headers }: Contestant,
  bodies: readonly string[],
  perSecond: number,
  seconds: number,
): Promise<{ good: number; shedMs: readonly number[] }> {
  const { origin, pathname: path } = new URL(url);
  const pool = new Pool(origin, { connections: MOST_IN_FLIGHT });
  const shedMs: number[] = [];
  let good = 0;
  let inFlight = 0;
  const startedAt = performance.now();
  const until = startedAt + seconds * 1_000;

  async function send(body: string): Promise<void> {
    inFlight++;
    const sentAt = performance.now();
    try {
      const response = await pool.request({ method: 'POST', path, headers, body });
      const text = await response.body.text();
      const now = performance.now();
      if (response.statusCode === 503 && response.headers['retry-after'] !== undefined)
        shedMs.push(now - sentAt);
      else if (response.statusCode === 200 && !text.includes('"errors":') && now < until) good++;
    } catch {
      // Cut off: neither served nor told so.
    } finally {
      inFlight--;
    }
  }

  let sent = 0;
  for (let now = startedAt; now < until; now = performance.now()) {
    for (const due = ((now - startedAt) / 1_000) * perSecond; sent < due; sent++)
      if (inFlight < MOST_IN_FLIGHT) void send(bodies[sent % bodies.length] as string);
    await pause(TICK_MS);
  }
  await pool.destroy();
  return { good, shedMs };
}
