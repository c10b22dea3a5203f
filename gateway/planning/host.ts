/** One life of the planning thread, seen from the main thread. */
import { Worker } from 'node:worker_threads';
import type { Job, ThreadReply, ThreadSettings } from './jobs.ts';

export interface ThreadHost {
  /** Resolves when it has read the supergraph; rejects when it died before. */
  readonly started: Promise<void>;
  /**
   * One job at a time. `killed`: it took longer than `longestMs`, or all the memory that it may have, and the thread is no
   * more. Rejects when the thread died of something else.
   */
  run(job: Job, longestMs: number): Promise<ThreadReply | { readonly kind: 'killed' }>;
  close(): Promise<void>;
}

/** Megabytes of heap: a plan that needs more is not one that we want; the graph itself takes about twenty. */
const MOST_HEAP_MB = 256;

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
  worker.on('exit', (code) => listener?.(new Error(`the planning thread ended with ${code}`)));

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

  const started = next().then(() => undefined);
  started.catch(() => undefined);
  return {
    started,
    async run(job, longestMs) {
      let isLate = false;
      const timer = setTimeout(() => {
        isLate = true;
        void worker.terminate();
      }, longestMs);
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
