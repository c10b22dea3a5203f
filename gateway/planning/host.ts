/** One life of the planning thread, seen from the main thread. */
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { Job, ThreadReply, ThreadSettings } from './jobs.ts';

export interface ThreadHost {
  /** Resolves when it has read the supergraph; rejects when it died before. */
  readonly started: Promise<void>;
  /**
   * One job at a time. `killed`: it took longer than `longestMs`, or all the memory that it may have, and the thread is no
   * more. What counts is time on a processor, where the system tells it, since a machine that is busy with other things says
   * nothing about a job; ten times as long by the clock is too long in any case. Rejects when the thread died of something else.
   */
  run(job: Job, longestMs: number): Promise<ThreadReply | { readonly kind: 'killed' }>;
  /** Whether it has died, of whatever. */
  isOver(): boolean;
  close(): Promise<void>;
}

/** Megabytes of heap: a plan that needs more is not one that we want; the graph itself takes about twenty. */
const MOST_HEAP_MB = 256;

const CLOCK_FACTOR = 10;
const LEAST_WAIT_MS = 5;

/** What the thread has spent on a processor; null where the system does not tell. */
function spentMs(task: string | null): number | null {
  if (task === null) return null;
  try {
    return Number(readFileSync(task, 'latin1').split(' ', 1)[0]) / 1e6;
  } catch {
    return null;
  }
}

export function startThread(settings: ThreadSettings): ThreadHost {
  const worker = new Worker(new URL('./thread.mjs', import.meta.url), {
    workerData: settings,
    // The same under tsx, under a test runner, and in the image: what the process was started with is not for the thread.
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: MOST_HEAP_MB },
    name: 'jinxin-planning',
  });
  worker.unref();
  let listener: ((event: ThreadReply | Error) => void) | null = null;
  worker.on('message', (reply: ThreadReply) => listener?.(reply));
  worker.on('error', (error) => listener?.(error instanceof Error ? error : new Error(String(error))));
  let isOver = false;
  worker.on('exit', (code) => {
    isOver = true;
    listener?.(new Error(`the planning thread ended with ${code}`));
  });

  /** The next thing that is heard of the thread. */
  function next(): Promise<ThreadReply> {
    return new Promise((resolve, reject) => {
      listener = (event) => {
        listener = null;
        if (event instanceof Error) reject(event);
        else resolve(event);
      };
    });
  }

  let task: string | null = null;
  const started = next().then((reply) => {
    if (reply.kind === 'started') task = reply.task;
  });
  started.catch(() => undefined);
  return {
    started,
    isOver: () => isOver,
    async run(job, longestMs) {
      // What is sent to a thread that is no more is never answered.
      if (isOver) throw new Error('the planning thread is no more');
      let isLate = false;
      const startedAt = performance.now();
      const spentBefore = spentMs(task);
      const left = () => {
        const passed = performance.now() - startedAt;
        const spent = spentMs(task);
        if (spent === null || spentBefore === null) return longestMs - passed;
        return Math.min(longestMs - (spent - spentBefore), CLOCK_FACTOR * longestMs - passed);
      };
      let timer = setTimeout(check, longestMs);
      function check(): void {
        const more = left();
        if (more > 0) {
          timer = setTimeout(check, Math.max(LEAST_WAIT_MS, more));
          return;
        }
        isLate = true;
        void worker.terminate();
        listener?.(new Error('the job took too long'));
      }
      try {
        const reply = next();
        worker.postMessage(job);
        return await reply;
      } catch (error) {
        const isTooLarge =
          error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
        if (isLate || isTooLarge) return { kind: 'killed' };
        throw error;
      } finally {
        clearTimeout(timer);
      }
    },
    async close() {
      await worker.terminate();
    },
  };
}
