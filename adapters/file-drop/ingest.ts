/**
 * Nightly files → the platform's store. A file counts only with its flag file and only when it is what the flag file says;
 * everything else is left for the next time, and what was read before stays with its own date.
 */
import iconv from 'iconv-lite';
import type pg from 'pg';
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import type { Feed } from './feed.ts';
import { businessDateOf } from './feed.ts';
import type { Line } from './formats.ts';
import { parseFile } from './formats.ts';
import type { OkFile } from './ok-file.ts';
import { assertWhole, FileError, OK_FILE_LIMIT, parseOkFile } from './ok-file.ts';
import type { Sftp } from './sftp.ts';
import type { CurrentFile, Resubmission } from './store.ts';
import { loadFile, readCurrentFiles, resubmitLine } from './store.ts';

/** What became of a file: `waiting` for its flag file; `refused` because it is not what it should be, and tried again. */
export type FileOutcome = { readonly feed: string; readonly file: string } & (
  | {
      readonly outcome: 'taken';
      readonly lines: number;
      readonly loaded: number;
      readonly quarantined: number;
      /** Whom the file says something else of than the one before; null: nobody can tell of whom. */
      readonly changed: readonly string[] | null;
    }
  | { readonly outcome: 'refused'; readonly reason: string }
  | { readonly outcome: 'waiting' }
);

export interface Ingest {
  /** The files that are new. Rejects with a LegacyError where the drop could not be read, with the store's error where that failed. */
  sync(signal: AbortSignal): Promise<readonly FileOutcome[]>;
  /** Hands in a quarantined line again; `correctedLine` is the whole line as text. */
  resubmit(quarantineId: string, correctedLine: string): Promise<Resubmission>;
}

/** Far above any nightly file of a city, far below what would hurt. */
const FILE_LIMIT = 256 * 1024 * 1024;

/** A file with a larger share of unreadable lines is another kind of file: taking it would empty the snapshot. */
const MOST_BAD = 0.5;

export function createIngest(options: {
  readonly sftp: Sftp;
  readonly store: pg.Pool;
  readonly feeds: readonly Feed[];
  readonly clock: Clock;
  readonly log: Logger;
}): Ingest {
  const { sftp, store, feeds, clock, log } = options;
  const { system } = sftp;

  return {
    async sync(signal) {
      const current = await readCurrentFiles(store, system);
      try {
        const sizes = new Map((await sftp.list(signal)).map(({ name, size }) => [name, size]));
        const outcomes: FileOutcome[] = [];
        for (const feed of feeds)
          outcomes.push(...(await syncFeed(feed, sizes, current.get(feed.name), signal)));
        return outcomes;
      } finally {
        sftp.disconnect();
      }
    },
    resubmit: (quarantineId, correctedLine) =>
      resubmitLine(
        store,
        (of, name) => (of === system ? feeds.find((feed) => feed.name === name) : undefined),
        quarantineId,
        iconv.encode(correctedLine, 'gb18030'),
        new Date(clock.now()),
      ),
  };

  /** Takes the newest file that can be taken, looking back no further than the one that is there already. */
  async function syncFeed(
    feed: Feed,
    sizes: ReadonlyMap<string, number>,
    current: CurrentFile | undefined,
    signal: AbortSignal,
  ): Promise<readonly FileOutcome[]> {
    const outcomes: FileOutcome[] = [];
    for (const { name, businessDate } of candidates(feed, [...sizes.keys()], current?.businessDate ?? '')) {
      const said = { feed: feed.name, file: name };
      try {
        // It would keep every later file out, and never be stale.
        if (businessDate > today()) throw new FileError('it is dated in the future');
        const ok = await readFlag(name, sizes, signal);
        if (ok && current?.name === name && current.digest === ok.digest) return outcomes;
        if (!ok) {
          outcomes.push({ ...said, outcome: 'waiting' });
          continue;
        }
        const lines = await readLines(name, sizes.get(name) ?? 0, ok, feed, signal);
        const result = await loadFile(
          store,
          { system, feed, name, digest: ok.digest, businessDate, lines },
          new Date(clock.now()),
        );
        if (result) {
          outcomes.push({ ...said, outcome: 'taken', lines: lines.length, ...result });
          const { loaded, quarantined } = result;
          log.info({ ...said, lines: lines.length, loaded, quarantined }, 'a nightly file was taken');
        }
        return outcomes;
      } catch (error) {
        if (!(error instanceof FileError)) throw error;
        outcomes.push({ ...said, outcome: 'refused', reason: error.message });
        log.warn({ ...said, reason: error.message }, 'a nightly file was refused');
      }
    }
    return outcomes;
  }

  /** China Standard Time. */
  function today(): string {
    return new Date(clock.now() + 8 * 3_600_000).toISOString().slice(0, 10);
  }

  /** Null while it is not there: the department is still writing. */
  async function readFlag(
    name: string,
    sizes: ReadonlyMap<string, number>,
    signal: AbortSignal,
  ): Promise<OkFile | null> {
    const size = sizes.get(`${name}.ok`);
    if (size === undefined) return null;
    const flag = await sftp.read(`${name}.ok`, Math.min(size, OK_FILE_LIMIT), null, signal);
    return parseOkFile(flag.toString('latin1'));
  }

  /** Throws FileError unless the file is whole, of the agreed form, and mostly readable. */
  async function readLines(
    name: string,
    size: number,
    ok: OkFile,
    feed: Feed,
    signal: AbortSignal,
  ): Promise<readonly Line[]> {
    if (size > FILE_LIMIT) throw new FileError(`it has ${size} bytes, which no nightly file has`);
    if (size !== ok.bytes) throw new FileError(`it has ${size} bytes, its flag file says ${ok.bytes}`);
    const content = await sftp.read(name, size, `${name} ${ok.digest}`, signal);
    assertWhole(content, ok);
    const lines = parseFile(content, feed.format);
    if (lines.length !== ok.lines)
      throw new FileError(`it has ${lines.length} lines, its flag file says ${ok.lines}`);
    const unread = lines.filter((line) => 'reason' in line).length;
    if (unread > lines.length * MOST_BAD)
      throw new FileError(`${unread} of its ${lines.length} lines cannot be read`);
    return lines;
  }
}

/** Files of a feed, newest first, none older than `since`. */
function candidates(feed: Feed, names: readonly string[], since: string) {
  return names
    .map((name) => ({ name, businessDate: businessDateOf(feed, name) }))
    .filter(
      (file): file is { name: string; businessDate: string } =>
        file.businessDate !== null && file.businessDate >= since,
    )
    .sort((a, b) => b.businessDate.localeCompare(a.businessDate));
}
