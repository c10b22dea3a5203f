/** Reads a journal of changes again and again, and at once when somebody says that there is something new. */
import type { Logger } from 'pino';
import { setTimeout as delay } from 'node:timers/promises';
import type { ChangeJournal, JournalEntry } from './change-journal.ts';

export interface JournalFollower {
  /** Reads now, or once more when it is reading. */
  wake(): void;
  close(): Promise<void>;
}

const LEAST_MS = 10;

/**
 * `onRead` is told of each reading, also of one that brought nothing; `startedAt`: performance.now() when it began, before
 * which nothing can be missing. A reading that fails is tried again at the next time.
 */
export function followJournal(options: {
  readonly journal: Pick<ChangeJournal, 'read'>;
  readonly everyMs: number;
  readonly onRead: (
    read: { readonly changes: readonly JournalEntry[]; readonly position: number },
    startedAt: number,
  ) => void;
  readonly log: Logger;
}): JournalFollower {
  const { journal, everyMs, onRead, log } = options;
  let position = 0;
  let isClosed = false;
  let isTold = false;
  let isWoken = false;
  let endPause = () => {};
  const running = run();

  async function run(): Promise<void> {
    while (!isClosed) {
      isWoken = false;
      await readOnce();
      // Whoever rings without end makes nobody read without end.
      await delay(LEAST_MS);
      if (!isWoken && !isClosed) await pause();
    }
  }

  async function readOnce(): Promise<void> {
    const startedAt = performance.now();
    try {
      const read = await journal.read(position);
      position = read.position;
      onRead(read, startedAt);
      if (isTold) log.info('announced changes are heard of again');
      isTold = false;
    } catch (error) {
      if (!isTold && !isClosed)
        log.warn(
          { err: error },
          'announced changes cannot be heard of; nothing that is kept is used meanwhile',
        );
      isTold = true;
    }
  }

  function pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, everyMs);
      endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  function wake(): void {
    isWoken = true;
    endPause();
  }

  return {
    wake,
    async close() {
      isClosed = true;
      wake();
      await running;
    },
  };
}
