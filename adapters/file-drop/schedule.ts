import type { Logger } from 'pino';
import { isLegacyError } from '../adapter.ts';
import type { Clock } from '../clock.ts';
import type { FileOutcome, Ingest } from './ingest.ts';

/** Syncs now and every `everyMs`, one at a time, each for at most `limitMs`; a failed sync costs freshness and nothing else. */
export function startSyncing(options: {
  readonly ingest: Ingest;
  readonly everyMs: number;
  readonly limitMs: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** Runs before the first sync, again until it succeeds: the store may be down when we start. */
  readonly prepare: () => Promise<void>;
  readonly onSynced: (outcomes: readonly FileOutcome[]) => void;
}): { close(): Promise<void> } {
  const { ingest, everyMs, limitMs, clock, log } = options;
  const stop = new AbortController();
  let isPrepared = false;

  async function syncOnce(): Promise<void> {
    const limit = clock.deadline(clock.now() + limitMs, stop.signal);
    try {
      if (!isPrepared) await options.prepare();
      isPrepared = true;
      options.onSynced(await ingest.sync(limit.signal));
    } catch (error) {
      if (stop.signal.aborted) return;
      const fault = isLegacyError(error) ? error.fault : 'store';
      log.warn({ fault, err: error }, 'nightly files could not be synced; what was read before stays');
    } finally {
      limit.end();
    }
  }

  async function run(): Promise<void> {
    while (!stop.signal.aborted) {
      await syncOnce();
      // The sleep ends in a rejection only when we are stopped, which the loop's condition sees.
      await clock.sleep(everyMs, stop.signal).catch(() => {});
    }
  }

  const running = run();
  return {
    async close() {
      stop.abort();
      await running;
    },
  };
}
