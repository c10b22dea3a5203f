/**
 * How departments tell that what they say of a subject has changed. It is written into the journal that every gateway reads
 * (adapters/postgres/change-journal.ts), and the bell is rung: within a second nobody is shown what was kept before.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { ChangeJournal } from '../adapters/postgres/change-journal.ts';
import { createChangeJournal } from '../adapters/postgres/change-journal.ts';
import { createPool } from '../adapters/postgres/pool.ts';
import { createOnce } from '../adapters/postgres/store.ts';
import type { Bell } from '../adapters/redis/bell.ts';
import { createBell } from '../adapters/redis/bell.ts';
import type { Change } from '../schema/changes.ts';
import { toChangeName } from '../schema/changes.ts';

export interface Announcements {
  /** Resolves when it is durable: every gateway holds to it from one second later on. Rejects when it could not be written. */
  announce(changes: readonly Change[]): Promise<void>;
  /** The same, for whoever cannot wait: what could not be written is tried again until it is, or this process ends. */
  owe(changes: readonly Change[]): void;
  /** Tries what is still owed once more. */
  close(): Promise<void>;
}

/** A department's own: what it says has changed of these SubjectIds; null: it may have changed of anybody. Told after it has. */
export type AnnounceChange = (subjects: readonly string[] | null) => void;

/** One change of everybody takes less room, everywhere, than so many of somebody. */
const MOST_SUBJECTS = 5_000;
const RETRY_MS = 500;

/** Without a platform database there is nobody to tell. */
export const NO_ANNOUNCEMENTS: Announcements = {
  announce: () => Promise.resolve(),
  owe: () => undefined,
  close: () => Promise.resolve(),
};

/** `redisUrl` null: no bell is rung, and gateways hear of it when they read next. */
export function openAnnouncements(options: {
  readonly platformUrl: string;
  readonly redisUrl: string | null;
  readonly log: Logger;
}): Announcements {
  const { log } = options;
  const pool = createPool({
    url: options.platformUrl,
    max: 1,
    applicationName: 'jinxin-announcements',
    statementTimeoutMs: 5_000,
    log,
  });
  const journal: ChangeJournal = createChangeJournal(pool);
  const bell: Bell | null = options.redisUrl === null ? null : createBell({ url: options.redisUrl, log });
  const prepare = createOnce(() => journal.prepare());
  const owed = new Set<string>();
  let paying: Promise<void> | null = null;
  const closing = new AbortController();

  async function write(names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    await prepare();
    await journal.append(names);
    await bell?.ring();
  }

  async function pay(): Promise<void> {
    while (owed.size > 0) {
      const names = [...owed];
      owed.clear();
      try {
        await write(names);
      } catch (error) {
        log.warn({ err: error }, 'changes could not be announced yet');
        for (const name of names) owed.add(name);
        if (closing.signal.aborted) return;
        await delay(RETRY_MS, undefined, { signal: closing.signal }).catch(() => undefined);
      }
    }
  }

  function startPaying(): void {
    paying ??= pay().finally(() => {
      paying = null;
      // Something may have come after the last look.
      if (owed.size > 0 && !closing.signal.aborted) startPaying();
    });
  }

  return {
    announce: (changes) => write([...new Set(changes.map(toChangeName))]),
    owe(changes) {
      for (const change of changes) owed.add(toChangeName(change));
      startPaying();
    },
    async close() {
      closing.abort();
      await paying;
      await bell?.close();
      await pool.end();
    },
  };
}

/** Of too many subjects: of everybody. */
export function toChanges(department: string, subjects: readonly string[] | null): readonly Change[] {
  return subjects === null || subjects.length > MOST_SUBJECTS
    ? [{ department, subject: null }]
    : subjects.map((subject) => ({ department, subject }));
}
