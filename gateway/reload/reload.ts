/** Keeps the served graph that of the files: load, compare, warm up, swap; or keep the old one and say why. */
import type { Logger } from 'pino';
import { CatalogueError } from '../../schema/catalogue.ts';
import type { Asker } from '../authorization/decide.ts';
import type { Rights } from '../authorization/rights.ts';
import type { KnownOperations } from '../operations/known.ts';
import type { Prepare } from '../operations/prepare.ts';
import { SecurityError, SupergraphError } from '../supergraph/load.ts';
import type { GuardedGraph } from './compatible.ts';
import { assertCompatible } from './compatible.ts';
import type { Generation, Generations } from './generations.ts';
import type { RefusalKind } from './refusals.ts';
import { RefusedGraphError, REFUSALS } from './refusals.ts';
import { warmUp } from './warm-up.ts';
import type { GraphFiles, GraphTexts, GraphWatch } from './watch.ts';
import { watchGraph } from './watch.ts';

export interface GraphGeneration extends Generation, GuardedGraph {
  readonly hash: string;
  readonly prepare: Prepare;
  readonly rightsOf: (asker: Asker) => Rights;
}

/** What probes are told. */
export interface GraphStatus {
  /** SHA-256 of the supergraph that is served. */
  readonly hash: string;
  readonly servedSince: string;
  /** Why what is in the files is not served; null: it is. */
  readonly refused: { readonly reason: RefusalKind; readonly meaning: string; readonly since: string } | null;
}

export interface ReloadOptions {
  readonly files: GraphFiles;
  readonly first: GraphTexts;
  readonly generations: Generations<GraphGeneration>;
  readonly load: (texts: GraphTexts) => Promise<GraphGeneration>;
  readonly known: KnownOperations;
  /** Texts of all registered operations; null when they cannot be known now. */
  readonly registered: () => readonly string[] | null;
  readonly everyMs: number;
  /** Told of each change: `TAKEN`, or why not. */
  readonly observe: (outcome: RefusalKind | 'TAKEN', status: GraphStatus) => void;
  readonly log: Logger;
}

const MOST_WARMED = 500;
const LONGEST_WARM_UP_MS = 20_000;
const SETTLE_MS = 200;
const RETRY_MS = 30_000;
/** A further reload waits until no more than these old graphs still answer: each has a thread. */
const MOST_LEAVING = 1;

export function startReloading(options: ReloadOptions): GraphWatch & { status(): GraphStatus } {
  const { generations, log, observe } = options;
  let servedSince = new Date().toISOString();
  let refused: GraphStatus['refused'] = null;
  let told = '';

  function status(): GraphStatus {
    return { hash: generations.current().hash, servedSince, refused };
  }

  async function take(texts: GraphTexts, stop: AbortSignal): Promise<void> {
    await generations.leftBut(MOST_LEAVING);
    const startedAt = performance.now();
    const next = await options.load(texts).catch((error: unknown) => {
      throw toRefusal(error);
    });
    try {
      await assertCompatible(generations.current(), next, options.registered());
      const operations = options.known.mostUsed(MOST_WARMED);
      const warmed = await warmUp(operations, next, {
        longestMs: LONGEST_WARM_UP_MS,
        now: () => performance.now(),
        stop,
      });
      stop.throwIfAborted();
      generations.swap(next);
      servedSince = new Date().toISOString();
      const ms = Math.round(performance.now() - startedAt);
      log.info({ hash: next.hash, rules: next.rules.version, ms, ...warmed }, 'a new supergraph is served');
      refused = null;
      observe('TAKEN', status());
    } catch (error) {
      await next.close();
      throw error;
    }
  }

  const watch = watchGraph({
    files: options.files,
    first: options.first,
    everyMs: options.everyMs,
    settleMs: Math.min(SETTLE_MS, options.everyMs),
    retryMs: RETRY_MS,
    now: () => performance.now(),
    take,
    onRefused(refusal) {
      const text = `${refusal.kind} ${refusal.message}`;
      if (refused && text === told) return;
      told = text;
      refused = { reason: refusal.kind, meaning: REFUSALS[refusal.kind], since: new Date().toISOString() };
      log.error(
        { reason: refusal.kind, detail: refusal.message },
        `the changed supergraph is not taken, the old one goes on: ${REFUSALS[refusal.kind]}`,
      );
      observe(refusal.kind, status());
    },
    onSettled() {
      if (!refused) return;
      refused = null;
      log.info('the supergraph that is served is again the one that is there');
      observe('TAKEN', status());
    },
  });
  return { status, close: () => watch.close() };
}

function toRefusal(error: unknown): RefusedGraphError {
  const detail = error instanceof Error ? error.message : String(error);
  return new RefusedGraphError(kindOf(error), detail, error);
}

function kindOf(error: unknown): RefusalKind {
  if (error instanceof RefusedGraphError) return error.kind;
  if (error instanceof CatalogueError) return 'CATALOGUE';
  if (error instanceof SecurityError) return 'SECURITY';
  return error instanceof SupergraphError ? 'INVALID' : 'UNPREPARED';
}
