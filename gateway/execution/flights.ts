/**
 * Single flight: who asks for what is being fetched, as the same principal, waits for it. A failure is not shared: it may be
 * the other request's own (its client left, its time was up), so who waited asks for itself. Nor is an answer that was asked
 * for before its subject was announced as changed.
 */
import type { EntityFetch, Loaded } from './entity-cache.ts';
import { freezeDeeply } from './frozen.ts';
import { isLasting } from './kept-entities.ts';
import type { KnownChanges } from './known-changes.ts';

/** One entity that has been loaded, with the position of changes that was known before. */
export interface Landed {
  readonly at: number;
  readonly key: string;
  readonly loaded: Loaded;
  readonly stamp: number;
}

export interface Flights {
  /**
   * The entities at `positions`, in their order. What nobody else is fetching is asked for in one load, and handed to `keep`,
   * which must not reject; a flight ends when it was kept, so that there is no moment in which it is to be found nowhere.
   */
  load(
    fetch: EntityFetch,
    keys: readonly string[],
    positions: readonly number[],
    keep: (fetch: EntityFetch, landed: readonly Landed[]) => Promise<void>,
  ): Promise<readonly Loaded[]>;
}

interface Flight {
  readonly stamp: number;
  readonly batch: Batch;
  readonly index: number;
}

interface Batch {
  isJoined: boolean;
  loading: Promise<readonly Loaded[]>;
}

const NOTHING: Loaded = Object.freeze({ entity: null, errors: Object.freeze([]), maxAge: 0 });

export function createFlights(changes: KnownChanges): Flights {
  const inFlight = new Map<string, Flight>();

  return {
    async load(fetch, keys, positions, keep) {
      const flightKey = (at: number) => `${fetch.asker}\n${keys[at] as string}`;
      const joined = new Map<number, Flight>();
      const own = positions.filter((at) => {
        const flight = inFlight.get(flightKey(at));
        if (!flight) return true;
        if (!changes.isCurrent(fetch.subgraph, fetch.subjects[at] ?? null, flight.stamp)) return true;
        flight.batch.isJoined = true;
        joined.set(at, flight);
        return false;
      });
      const loading = own.length > 0 ? lead(own) : null;
      if (joined.size === 0) return (await loading) ?? [];
      const [led, waited] = await Promise.all([
        loading,
        Promise.all([...joined].map(async ([at, flight]) => [at, await join(at, flight)] as const)),
      ]);
      const results = new Map(waited);
      own.forEach((at, index) => results.set(at, led?.[index] ?? NOTHING));
      return positions.map((at) => results.get(at) ?? NOTHING);

      async function join(at: number, { batch, index }: Flight): Promise<Loaded> {
        const shared = await batch.loading.then(
          (loaded) => loaded[index] ?? NOTHING,
          () => null,
        );
        if (shared && shared.errors.length === 0) return shared;
        const [alone] = await fetch.load([at]);
        return alone ?? NOTHING;
      }

      function lead(own: readonly number[]): Promise<readonly Loaded[]> {
        const stamp = changes.position();
        const batch: Batch = { isJoined: false, loading: Promise.resolve([]) };
        batch.loading = fetch.load(own).then((loaded) =>
          own.map((_, index) => {
            const one = loaded[index] ?? NOTHING;
            if (batch.isJoined || isLasting(one)) freezeDeeply(one.entity);
            return one;
          }),
        );
        const flights = own.map((at, index) => [flightKey(at), { stamp, batch, index }] as const);
        for (const [key, flight] of flights) inFlight.set(key, flight);
        const land = () => {
          // Another one may have taken off since, after a change.
          for (const [key, flight] of flights) if (inFlight.get(key) === flight) inFlight.delete(key);
        };
        batch.loading
          .then((loaded) =>
            keep(
              fetch,
              own.map((at, index) => ({
                at,
                key: keys[at] as string,
                loaded: loaded[index] ?? NOTHING,
                stamp,
              })),
            ),
          )
          .then(land, land);
        return batch.loading;
      }
    },
  };
}
