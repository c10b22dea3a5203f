/**
 * Validation, planning and introspection, in a thread of their own. A document of one kilobyte can keep each of them busy
 * for seconds, and they are synchronous: on the main thread they would stop every answer. The thread does one job at a
 * time, is killed when that takes too long, and replaced. An operation that was planned before never comes here.
 */
import type { QueryPlan } from '@apollo/query-planner';
import type { Logger } from 'pino';
import { createError } from '../../schema/errors.ts';
import { createFairQueue } from './fair-queue.ts';
import type { ThreadHost } from './host.ts';
import { startThread } from './host.ts';
import type { Job, Problem, ThreadReply } from './jobs.ts';
import { createPenalties } from './penalties.ts';

/** Every method rejects with LIMIT_EXCEEDED (limit: planning, introspection), OVERLOADED (no place, no time) or INTERNAL. */
export interface Planner {
  /** Resolves when the thread has read the supergraph; rejects when it cannot. */
  readonly started: Promise<void>;
  /** What is wrong with a document; empty when nothing is. */
  validate(query: string, mayIntrospect: boolean, consumer: string): Promise<readonly Problem[]>;
  plan(document: string, operationName: string | null, consumer: string): Promise<QueryPlan>;
  /** The data of a document that asks for nothing but the schema. */
  introspect(
    document: string,
    variables: Readonly<Record<string, unknown>>,
    consumer: string,
  ): Promise<Readonly<Record<string, unknown>>>;
  close(): Promise<void>;
}

export interface PlannerOptions {
  /** The supergraph as planner-sdl.ts makes it. */
  readonly sdl: string;
  readonly log: Logger;
  /** After this one job is given up and the thread with it; milliseconds. */
  readonly longestMs?: number;
  /** After this a job that still waits is refused; milliseconds. */
  readonly longestWaitMs?: number;
  /** Jobs that may wait: of one consumer, and of all. */
  readonly waiting?: { readonly each: number; readonly all: number };
  /** How long a consumer whose job had to be given up may bring nothing new; milliseconds. */
  readonly penaltyMs?: number;
  readonly now?: () => number;
}

interface Waiting {
  readonly consumer: string;
  readonly job: Job;
  /** Its time in the queue is over, its time in the thread begins. */
  readonly start: () => void;
  readonly settle: (outcome: ThreadReply | Error) => void;
}

export function createPlanner(options: PlannerOptions): Planner {
  const { sdl, log, longestMs = 1_000, longestWaitMs = 5_000 } = options;
  const queue = createFairQueue<Waiting>(options.waiting ?? { each: 32, all: 256 });
  const penalties = createPenalties(options.penaltyMs ?? 5_000, options.now ?? (() => performance.now()));
  let thread: ThreadHost | null = startThread({ sdl });
  let isWorking = false;
  let isClosed = false;

  return {
    started: thread.started,
    validate: async (query, mayIntrospect, consumer) =>
      (await ask({ kind: 'validate', query, mayIntrospect }, consumer)) as readonly Problem[],
    plan: async (document, operationName, consumer) =>
      (await ask({ kind: 'plan', document, operationName }, consumer)) as QueryPlan,
    introspect: async (document, variables, consumer) =>
      (await ask({ kind: 'introspect', document, variables }, consumer)) as Readonly<Record<string, unknown>>,
    async close() {
      isClosed = true;
      for (let waiting = queue.shift(); waiting; waiting = queue.shift())
        waiting.settle(createError('OVERLOADED'));
      await thread?.close();
    },
  };

  async function ask(job: Job, consumer: string): Promise<unknown> {
    const left = penalties.left(consumer);
    if (left > 0) throw createError('OVERLOADED', { extensions: { retryAfter: Math.ceil(left / 1_000) } });
    const reply = await enqueue(job, consumer);
    if (reply.kind === 'answered') return JSON.parse(reply.json);
    if (reply.kind === 'refused')
      throw createError('LIMIT_EXCEEDED', {
        detail: `${reply.limit}.`,
        extensions: { limit: reply.limit },
      });
    throw new Error(reply.kind === 'failed' ? reply.message : 'the planning thread answered out of turn');
  }

  function enqueue(job: Job, consumer: string): Promise<ThreadReply> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        queue.remove(consumer, waiting);
        reject(createError('OVERLOADED', { extensions: { retryAfter: 1 } }));
      }, longestWaitMs);
      const waiting: Waiting = {
        consumer,
        job,
        start: () => clearTimeout(timer),
        settle(outcome) {
          clearTimeout(timer);
          if (outcome instanceof Error) reject(outcome);
          else resolve(outcome);
        },
      };
      if (isClosed || !queue.push(consumer, waiting))
        waiting.settle(createError('OVERLOADED', { extensions: { retryAfter: 1 } }));
      else void work();
    });
  }

  async function work(): Promise<void> {
    if (isWorking) return;
    isWorking = true;
    for (let next = queue.shift(); next; next = queue.shift()) {
      const { start, settle } = next;
      start();
      await runOne(next).then(settle, (error: unknown) => {
        if (isClosed) return settle(createError('OVERLOADED'));
        // It died of something that no limit of ours foresees; what waits gets a new one.
        log.error({ err: error }, 'the planning thread failed');
        thread = null;
        settle(error instanceof Error ? error : new Error(String(error)));
      });
    }
    isWorking = false;
  }

  async function runOne({ job, consumer }: Waiting): Promise<ThreadReply> {
    if (isClosed) throw createError('OVERLOADED');
    if (!thread || thread.isOver()) thread = startThread({ sdl });
    await thread.started;
    const outcome = await thread.run(job, longestMs);
    if (outcome.kind !== 'killed') return outcome;
    penalties.add(consumer);
    log.warn({ job: job.kind }, 'a job of the planning thread took too long and was given up');
    thread = isClosed ? null : startThread({ sdl });
    return { kind: 'refused', limit: 'planning' };
  }
}
