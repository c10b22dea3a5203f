/**
 * Runs batches of steps by counting: a step is ready when all that it waits for have ended, a batch leaves when all its steps
 * are ready. No batch is held up for long by one step: what is ready leaves without the others when its patience is over.
 */
import type { Batch } from './batches.ts';
import type { Step } from './steps.ts';

export interface Scheduled {
  /** Runs steps of one batch together; they have ended when it resolves. */
  start(steps: Batch): Promise<void>;
  /** `performance.now()` at which the request's time is up. */
  readonly deadline: number;
}

/** A step that others wait for waits for its batch for a tenth of the time that has passed, and at least so many milliseconds. */
const LEAST_PATIENCE_MS = 5;
const PATIENCE = 0.1;
/** A step that nobody waits for may wait for this share of the time that is left. */
const LEAF_PATIENCE = 0.25;

interface Waiting {
  /** Not started yet. */
  readonly left: Set<Step>;
  readonly ready: Set<Step>;
  timer: NodeJS.Timeout | null;
}

export interface Schedule {
  run(scheduled: Scheduled): Promise<void>;
}

export function createSchedule(batches: readonly Batch[]): Schedule {
  const steps = batches.flat();
  const dependents = new Map<number, Step[]>(steps.map(({ index }) => [index, []]));
  for (const step of steps) for (const before of step.after) dependents.get(before)?.push(step);
  const batchOf = new Map(batches.flatMap((batch, at) => batch.map((step) => [step.index, at])));
  const first = steps.filter(({ after }) => after.size === 0);

  return {
    run: ({ start, deadline }) =>
      new Promise((resolve, reject) => {
        const startedAt = performance.now();
        const unmet = new Map(steps.map(({ index, after }) => [index, after.size]));
        const waiting: readonly Waiting[] = batches.map((batch) => ({
          left: new Set(batch),
          ready: new Set(),
          timer: null,
        }));
        let running = steps.length;
        if (running === 0) resolve();
        else settle(first);

        /** Steps that have become ready at the same moment: of each batch they leave together. */
        function settle(ready: readonly Step[]): void {
          const touched = new Set<Waiting>();
          for (const step of ready) {
            const batch = waiting[batchOf.get(step.index) ?? 0] as Waiting;
            touched.add(batch);
            batch.ready.add(step);
          }
          for (const batch of touched) consider(batch);
        }

        function consider(batch: Waiting): void {
          if (batch.ready.size === 0) return;
          if (batch.ready.size === batch.left.size) leave(batch);
          else batch.timer ??= setTimeout(() => leave(batch), patienceFor(batch.ready));
        }

        function leave(batch: Waiting): void {
          if (batch.timer) clearTimeout(batch.timer);
          batch.timer = null;
          const together = [...batch.ready];
          batch.ready.clear();
          for (const step of together) batch.left.delete(step);
          start(together).then(() => finish(together), fail);
        }

        function finish(done: readonly Step[]): void {
          const ready: Step[] = [];
          for (const { index } of done) {
            running -= 1;
            for (const dependent of dependents.get(index) ?? []) {
              const left = (unmet.get(dependent.index) ?? 0) - 1;
              unmet.set(dependent.index, left);
              if (left === 0) ready.push(dependent);
            }
          }
          if (running === 0) resolve();
          else if (ready.length > 0) settle(ready);
        }

        function fail(error: unknown): void {
          for (const { timer } of waiting) if (timer) clearTimeout(timer);
          reject(error instanceof Error ? error : new Error(String(error)));
        }

        function patienceFor(ready: ReadonlySet<Step>): number {
          const now = performance.now();
          const isLeaf = [...ready].every(({ index }) => dependents.get(index)?.length === 0);
          return isLeaf
            ? Math.max(0, (deadline - now) * LEAF_PATIENCE)
            : Math.max(LEAST_PATIENCE_MS, (now - startedAt) * PATIENCE);
        }
      }),
  };
}
