/**
 * The entity cache: a small LRU in the process, and Redis behind it when there is one. It holds facts, one entity per
 * entry, for as long as the department said; it never holds an answer that came with an error. Without Redis, and with a
 * Redis that is slow, dead or poisoned, everything still works: a cache fails open, its values are sealed.
 */
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { EntityResult } from './entities-fetch.ts';

/** The store behind the process, see adapters/redis. Values are opaque; a value that does not open is a miss. */
export interface RemoteStore {
  getMany(keys: readonly string[]): Promise<readonly (string | null)[]>;
  setMany(entries: readonly { key: string; value: string; seconds: number }[]): Promise<void>;
}

export interface EntityCache {
  keyOf(parts: readonly unknown[]): string;
  /**
   * The entities under `keys`; `load` is asked once for the positions that nobody has, and says how long each may stay.
   * `asker` names the principal: what is being fetched is not yet known to be anybody else's to see.
   */
  getMany(keys: readonly string[], load: Load, asker: string): Promise<readonly EntityResult[]>;
  /** Hits and misses so far. */
  stats(): { readonly hits: number; readonly misses: number };
}

type Load = (positions: readonly number[]) => Promise<readonly (EntityResult & { maxAge: number })[]>;
type Kept = EntityResult['entity'];

/** `entries` and `bytes` bound what is kept in the process. */
export function createEntityCache(options: {
  entries: number;
  bytes: number;
  remote: RemoteStore | null;
}): EntityCache {
  // Kept as text: its size is known, and whoever reads it has a copy.
  const local = new LRUCache<string, string>({
    max: Math.max(1, options.entries),
    maxSize: options.bytes,
    sizeCalculation: (text, key) => 2 * (text.length + key.length) + 100,
  });
  const inFlight = new Map<string, Promise<EntityResult>>();
  let hits = 0;
  let misses = 0;

  return {
    keyOf: (parts) => createHash('sha256').update(JSON.stringify(parts)).digest('base64url'),
    stats: () => ({ hits, misses }),
    async getMany(keys, load, asker) {
      const results = new Array<EntityResult | Promise<EntityResult> | undefined>(keys.length);
      const wanted: number[] = [];
      keys.forEach((key, at) => {
        const kept = local.get(key);
        if (kept !== undefined) results[at] = { entity: JSON.parse(kept) as Kept, errors: [] };
        else wanted.push(at);
      });
      await readRemote(wanted, keys, results);
      const missing = wanted.filter((at) => {
        if (results[at] !== undefined) return false;
        const flying = inFlight.get(`${asker} ${keys[at] as string}`);
        if (!flying) return true;
        const joined = join(flying, at, load);
        // Awaited at the end; until then its failure is not an unhandled one.
        joined.catch(() => undefined);
        results[at] = joined;
        return false;
      });
      hits += keys.length - missing.length;
      misses += missing.length;
      if (missing.length > 0) {
        const loading = load(missing);
        missing.forEach((at, index) => {
          const key = `${asker} ${keys[at] as string}`;
          const one = loading.then((loaded) => loaded[index] ?? { entity: null, errors: [], maxAge: 0 });
          inFlight.set(key, one);
          const done = () => inFlight.delete(key);
          one.then(done, done);
          results[at] = one;
        });
        const loaded = await loading;
        await keep(missing.map((at, index) => ({ key: keys[at] as string, result: loaded[index] })));
      }
      return Promise.all(results.map(async (result) => (await result) ?? { entity: null, errors: [] }));
    },
  };

  /**
   * Single flight: who asks for what is being fetched waits for it, and gets a copy of its own. A failure is not shared: it
   * may be the other request's own (its client left, its time was up), so the waiter asks for itself.
   */
  async function join(flying: Promise<EntityResult>, at: number, load: Load): Promise<EntityResult> {
    const { entity, errors } = await flying;
    if (errors.length === 0) return { entity: structuredClone(entity), errors };
    const [own] = await load([at]);
    return own ?? { entity: null, errors: [] };
  }

  async function readRemote(
    wanted: readonly number[],
    keys: readonly string[],
    results: (EntityResult | Promise<EntityResult> | undefined)[],
  ): Promise<void> {
    if (!options.remote || wanted.length === 0) return;
    const values = await options.remote.getMany(wanted.map((at) => keys[at] as string));
    wanted.forEach((at, index) => {
      const value = values[index];
      if (value != null) results[at] = { entity: JSON.parse(value) as Kept, errors: [] };
    });
  }

  async function keep(
    entries: readonly { key: string; result: (EntityResult & { maxAge: number }) | undefined }[],
  ) {
    const lasting = entries.flatMap(({ key, result }) =>
      result && result.maxAge > 0 && result.errors.length === 0
        ? [{ key, value: JSON.stringify(result.entity), seconds: result.maxAge }]
        : [],
    );
    for (const { key, value, seconds } of lasting) local.set(key, value, { ttl: seconds * 1000 });
    if (options.remote && lasting.length > 0) await options.remote.setMany(lasting);
  }
}
