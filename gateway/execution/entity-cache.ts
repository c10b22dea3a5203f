/**
 * The entity cache: a small LRU in the process, and Redis behind it when there is one; each can be left out. It holds facts,
 * one entity per entry, for as long as the department said; never an answer that came with an error, and nothing that was
 * announced as changed (known-changes.ts). Without Redis, and with one that is slow, dead or poisoned, everything works: a
 * cache fails open, its values are sealed.
 *
 * What is older than its time is given only where the department's catalogue lets it stand in, and marked (stale.ts).
 */
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Landed } from './flights.ts';
import { createFlights } from './flights.ts';
import type { Kept } from './kept-entities.ts';
import { fromText, isLasting, toKept, toText, usableUntil } from './kept-entities.ts';
import type { KnownChanges } from './known-changes.ts';
import { NO_CHANGES } from './known-changes.ts';
import { hasFailed } from './stale.ts';
import type { SubgraphErrorBody } from './transport.ts';

/** Kept and shared ones are frozen to their leaves: whoever changes an entity copies it first. */
export interface EntityResult {
  readonly entity: Readonly<Record<string, unknown>> | null;
  readonly errors: readonly SubgraphErrorBody[];
}

/** How many seconds beyond its time an answer may stand in, marked as STALE. */
export interface Grace {
  /** While a fresh one is fetched. */
  readonly whileRevalidating: number;
  /** When a fresh one could not be had. */
  readonly onError: number;
}

/** `maxAge`: seconds for which it may be kept. No grace: it never stands in for a fresh one. */
export type Loaded = EntityResult & { readonly maxAge: number; readonly grace?: Grace | undefined };

/** Asks the subgraph for the entities at these positions; answers in their order. */
export type Load = (positions: readonly number[]) => Promise<readonly Loaded[]>;

/** Entities of one subgraph, which may be of several fetches. */
export interface EntityFetch {
  readonly subgraph: string;
  /** Each as its JSON text. */
  readonly representations: readonly string[];
  /** What each depends on beside that: `digest` of the schema, the fetch's text and its variables. */
  readonly abouts: readonly string[];
  /** SubjectId of whom each is about; null: of nobody in particular. */
  readonly subjects: readonly (string | null)[];
  /** Names the principal: what is being fetched is not yet known to be anybody else's to see. */
  readonly asker: string;
  readonly load: Load;
}

/** The store behind the process, see adapters/redis. `until`: milliseconds since the epoch. Neither ever rejects. */
export interface RemoteStore {
  getMany(keys: readonly string[]): Promise<readonly (string | null)[]>;
  setMany(entries: readonly { key: string; value: string; until: number }[]): Promise<void>;
}

export interface EntityCache {
  /** Without it whoever asks may as well ask the subgraph. */
  readonly keeps: boolean;
  digest(parts: readonly unknown[]): string;
  /**
   * One result for each representation; at once, without a promise, when this process holds them all. `load` is asked once
   * for those that nobody has, and perhaps, after the results are there, for those that are to be made fresh.
   */
  getMany(fetch: EntityFetch): readonly EntityResult[] | Promise<readonly EntityResult[]>;
  /** So far: entities that were kept, those of them given as STALE, and those that a subgraph was asked for. */
  stats(): { readonly hits: number; readonly stale: number; readonly misses: number };
}

export const digest = (parts: readonly unknown[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('base64url');

/** Nothing is kept and nothing is shared: whoever asks, asks the subgraph. */
export function createNoCache(): EntityCache {
  let misses = 0;
  return {
    keeps: false,
    digest: () => '',
    getMany({ representations, load }) {
      misses += representations.length;
      return load(representations.map((_, at) => at));
    },
    stats: () => ({ hits: 0, stale: 0, misses }),
  };
}

/** What is known so far of a fetch that is being answered. */
interface Search {
  readonly fetch: EntityFetch;
  readonly keys: readonly string[];
  readonly results: (EntityResult | undefined)[];
  /** Past their time: of use only where no fresh one can be had. */
  readonly past: Map<number, Kept>;
  /** Given as STALE, to be made fresh beside the request. */
  readonly due: number[];
}

/** `local`: bounds of what is kept in the process; null: nothing is. */
export function createEntityCache(options: {
  readonly local: { readonly entries: number; readonly bytes: number } | null;
  readonly remote: RemoteStore | null;
  readonly changes?: KnownChanges;
  readonly now?: () => number;
}): EntityCache {
  const { remote, changes = NO_CHANGES, now = Date.now } = options;
  const local =
    options.local &&
    new LRUCache<string, Kept>({
      max: options.local.entries,
      maxSize: options.local.bytes,
      sizeCalculation: ({ bytes }, key) => bytes + 2 * key.length,
    });
  const flights = createFlights(changes);
  const revalidating = new Set<string>();
  const counts = { hits: 0, stale: 0, misses: 0 };

  return {
    keeps: true,
    digest,
    stats: () => ({ ...counts }),
    getMany(fetch) {
      const { subgraph, abouts, representations } = fetch;
      const keys = representations.map((representation, at) =>
        toKey(subgraph, abouts[at] ?? '', representation),
      );
      const search: Search = {
        fetch,
        keys,
        results: new Array<EntityResult | undefined>(keys.length),
        past: new Map(),
        due: [],
      };
      const missing = findLocally(
        search,
        keys.map((_, at) => at),
      );
      if (missing.length > 0) return findElsewhere(search, missing);
      revalidate(search);
      return search.results as EntityResult[];
    },
  };

  /** Those of `positions` that are not found. */
  function findLocally(search: Search, positions: readonly number[]): readonly number[] {
    if (!local || !changes.isVerified()) return positions;
    const time = now();
    return positions.filter((at) => {
      const key = search.keys[at] as string;
      const kept = local.get(key);
      if (!kept) return true;
      if (usableUntil(kept) > time && isCurrent(search.fetch, at, kept))
        return !offer(search, at, kept, time);
      local.delete(key);
      return true;
    });
  }

  async function findElsewhere(
    search: Search,
    positions: readonly number[],
  ): Promise<readonly EntityResult[]> {
    let missing = positions;
    if (remote && changes.isVerified()) missing = await findRemotely(search, missing, remote);
    revalidate(search);
    const { fetch, keys, results, past } = search;
    if (missing.length > 0) {
      const loaded = await flights.load(fetch, keys, missing, keep);
      counts.misses += missing.length;
      missing.forEach((at, index) => {
        const one = loaded[index] as Loaded;
        const kept = past.get(at);
        results[at] = (kept && insteadOf(one, fetch, at, kept)) ?? one;
      });
    }
    return results as EntityResult[];
  }

  async function findRemotely(
    search: Search,
    positions: readonly number[],
    store: RemoteStore,
  ): Promise<readonly number[]> {
    const names = positions.map((at) => toName(search.keys[at] as string));
    const texts = await store.getMany(names);
    const time = now();
    // Changes that this process has heard of while it waited count as well.
    const isVerified = changes.isVerified();
    const missing = positions.filter((at, index) => {
      const text = texts[index];
      const kept = text == null || !isVerified ? null : fromText(text);
      if (!kept || usableUntil(kept) <= time || !isCurrent(search.fetch, at, kept)) return true;
      local?.set(search.keys[at] as string, kept);
      return !offer(search, at, kept, time);
    });
    // What somebody else has loaded meanwhile is not asked for again.
    return findLocally(search, missing);
  }

  function isCurrent({ subgraph, subjects }: EntityFetch, at: number, kept: Kept): boolean {
    const count = changes.count();
    if (kept.checkedAt === count) return true;
    if (!changes.isCurrent(subgraph, subjects[at] ?? null, kept.stamp)) return false;
    kept.checkedAt = count;
    return true;
  }

  /** Takes it for the answer where it may be; true when it did. */
  function offer({ results, past, due }: Search, at: number, kept: Kept, time: number): boolean {
    if (time < kept.freshUntil) results[at] = kept.result;
    else {
      const stale = time < kept.revalidateUntil ? kept.stale() : null;
      if (!stale) {
        past.set(at, kept);
        return false;
      }
      results[at] = stale;
      counts.stale += 1;
      due.push(at);
    }
    counts.hits += 1;
    return true;
  }

  /** The old answer where no new one could be had; undefined where there is a new one, or the old one may not stand in. */
  function insteadOf(loaded: Loaded, fetch: EntityFetch, at: number, kept: Kept): EntityResult | undefined {
    if (!couldNotBeHad(loaded) || now() >= kept.errorUntil) return undefined;
    // Announced as changed while we waited: nothing may bring it back.
    if (!changes.isVerified() || !isCurrent(fetch, at, kept)) return undefined;
    const stale = kept.stale();
    if (stale) counts.stale += 1;
    return stale ?? undefined;
  }

  /** Beside the request, each key once at a time. What fails leaves what is there until its own time ends. */
  function revalidate({ fetch, keys, due }: Search): void {
    const own = due.filter((at) => !revalidating.has(keys[at] as string));
    if (own.length === 0) return;
    const taken = own.map((at) => keys[at] as string);
    for (const key of taken) revalidating.add(key);
    const end = () => taken.forEach((key) => revalidating.delete(key));
    flights.load(fetch, keys, own, keep).then(end, end);
  }

  async function keep({ subgraph, subjects }: EntityFetch, landed: readonly Landed[]): Promise<void> {
    const time = now();
    const lasting = landed.flatMap(({ at, key, loaded, stamp }) =>
      isLasting(loaded) && changes.isCurrent(subgraph, subjects[at] ?? null, stamp)
        ? [{ key, kept: toKept(loaded, stamp, time) }]
        : [],
    );
    if (local) for (const { key, kept } of lasting) local.set(key, kept);
    if (!remote || lasting.length === 0) return;
    await remote.setMany(
      lasting.map(({ key, kept }) => ({ key: toName(key), value: toText(kept), until: usableUntil(kept) })),
    );
  }
}

/** No two things have one key: names of subgraphs and digests hold no line break. */
function toKey(subgraph: string, about: string, representation: string): string {
  return `${subgraph}\n${about}\n${representation}`;
}

/** Under which an entity lies in the store: nobody who reads names there learns whom it is about. */
const toName = (key: string): string => createHash('sha256').update(key).digest('base64url');

/** The department was not reached, or says that it could not find out. Whatever else went wrong is told as it is. */
function couldNotBeHad({ entity, errors }: Loaded): boolean {
  if (errors.length === 0) return hasFailed(entity);
  return errors.every(({ extensions }) => extensions?.['code'] === 'DEPARTMENT_UNAVAILABLE');
}
