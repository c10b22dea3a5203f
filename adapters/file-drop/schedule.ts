import type { Logger } from 'pino';
import { isLegacyError } from '../adapter.ts';
import type { Clock } from '../clock.ts';
import type { Repeating } from '../repeat.ts';
import { startRepeating } from '../repeat.ts';
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
  /** Subjects of whom the files say something else than before, as the feeds name them; null: nobody can tell of whom. */
  readonly onChanged: (subjects: readonly string[] | null) => void;
}): Repeating {
  const { ingest, everyMs, limitMs, clock, log } = options;
  let isPrepared = false;

  return startRepeating(async (stop) => {
    const limit = clock.deadline(clock.now() + limitMs, stop);
    try {
      if (!isPrepared) await options.prepare();
      isPrepared = true;
      const outcomes = await ingest.sync(limit.signal);
      options.onSynced(outcomes);
      for (const file of outcomes) if (file.outcome === 'taken') options.onChanged(file.changed);
    } catch (error) {
      const fault = isLegacyError(error) ? error.fault : 'store';
      if (!stop.aborted)
        log.warn({ fault, err: error }, 'nightly files could not be synced; what was read before stays');
    } finally {
      limit.end();
    }
    return everyMs;
  }, clock);
}
