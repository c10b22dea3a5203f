/**
 * Looks again and again whether supergraph or catalogue have changed, and hands on what has come to rest. Both are one unit:
 * what is written while the other still changes is taken with it. Of changes in quick succession the last one is taken.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RefusalKind } from './refusals.ts';
import { RefusedGraphError } from './refusals.ts';
import type { WatchedText } from './watched-text.ts';

export interface GraphTexts {
  readonly sdl: string;
  /** null: the gateway has no catalogue. */
  readonly catalogue: string | null;
}

export interface GraphFiles {
  readonly supergraph: WatchedText;
  readonly catalogue: WatchedText | null;
}

export interface GraphWatch {
  close(): Promise<void>;
}

export interface GraphWatchOptions {
  readonly files: GraphFiles;
  /** What is served already. */
  readonly first: GraphTexts;
  /** Between two looks; milliseconds. */
  readonly everyMs: number;
  /** How long a change must have come to rest; milliseconds. Whoever writes a file in place has written more by then. */
  readonly settleMs: number;
  /** After so long what was refused for a reason that may pass is tried again; milliseconds. */
  readonly retryMs: number;
  readonly now: () => number;
  /** Serves it from now on; rejects when it cannot be, or is stopped, and then the old one goes on. */
  readonly take: (texts: GraphTexts, stop: AbortSignal) => Promise<void>;
  readonly onRefused: (refusal: RefusedGraphError) => void;
  /** What is served is what is there: a refusal before no longer stands. */
  readonly onSettled: () => void;
}

/** These do not lie in the files alone: an operation is withdrawn, a database comes back. */
const MAY_PASS: readonly RefusalKind[] = ['BROKEN_OPERATIONS', 'UNPREPARED'];

export async function readGraph({ supergraph, catalogue }: GraphFiles): Promise<GraphTexts> {
  const [sdl, rules] = await Promise.all([supergraph.read(), catalogue?.read() ?? null]);
  return { sdl, catalogue: rules };
}

export function watchGraph(options: GraphWatchOptions): GraphWatch {
  const { files } = options;
  const stop = new AbortController();
  let served = options.first;
  /** The state of the files that was looked into last. */
  let seen: string | null = null;
  let retryAt = Number.POSITIVE_INFINITY;

  async function marks(): Promise<string> {
    const all = await Promise.all([files.supergraph.mark(), files.catalogue?.mark() ?? '']);
    return all.join('\n');
  }

  async function look(): Promise<void> {
    const texts = await readChanged().catch((error: unknown) => {
      // What comes back is looked into, though it be the same as before.
      seen = null;
      throw new RefusedGraphError('UNREADABLE', messageOf(error), error);
    });
    if (!texts) return;
    if (texts.sdl !== served.sdl || texts.catalogue !== served.catalogue) {
      await options.take(texts, stop.signal);
      served = texts;
    }
    options.onSettled();
  }

  /** Null when nothing has changed since the last look. */
  async function readChanged(): Promise<GraphTexts | null> {
    let found = await marks();
    if (found === seen && options.now() < retryAt) return null;
    for (;;) {
      await pause(options.settleMs);
      const texts = await readGraph(files);
      const again = await marks();
      if (again === found) {
        seen = found;
        retryAt = Number.POSITIVE_INFINITY;
        return texts;
      }
      found = again;
    }
  }

  const pause = (milliseconds: number) => sleep(milliseconds, undefined, { signal: stop.signal, ref: false });

  async function run(): Promise<void> {
    while (!stop.signal.aborted) {
      await look().catch((error: unknown) => {
        if (stop.signal.aborted) return;
        const refusal =
          error instanceof RefusedGraphError
            ? error
            : new RefusedGraphError('UNPREPARED', messageOf(error), error);
        if (MAY_PASS.includes(refusal.kind)) retryAt = options.now() + options.retryMs;
        options.onRefused(refusal);
      });
      await pause(options.everyMs).catch(() => undefined);
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

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
