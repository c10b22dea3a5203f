/**
 * The issuer's keys, kept and renewed. Three things pull against each other: a key that the issuer uses from one moment to
 * the next must be found, a withdrawn one must go, and a flood of made-up key ids must not become a flood on the issuer.
 *
 * What nobody but the issuer can cause costs nothing: a fetch that finds the key it was made for. A fetch in vain, or one
 * that failed, is followed by thirty seconds without any.
 */
import type { KeyObject } from 'node:crypto';
import type { Logger } from 'pino';
import type { Algorithm } from './compact-token.ts';
import type { IssuerKeys } from './keys.ts';
import { toIssuerKeys } from './keys.ts';

/** Null: no key of the issuer's has this id and is for this algorithm, as far as can be found out now. */
export type FindKey = (keyId: string, algorithm: Algorithm) => Promise<KeyObject | null>;

/** No fetch for so long after one in vain. */
const REST_MS = 30_000;
/** From this age on a set is renewed beside the requests that use it. */
const RENEW_MS = 60_000;
/** From this age on it is renewed before it is used: the longest that a withdrawn key is taken while the issuer answers. */
const STALE_MS = 5 * 60_000;
/** The longest that a set is used while the issuer does not answer. */
const LOST_MS = 24 * 3_600_000;

export function createStaticKeys(set: unknown): FindKey {
  const keys = toIssuerKeys(set);
  return (keyId, algorithm) => Promise.resolve(pick(keys, keyId, algorithm));
}

/**
 * `load` gives the issuer's set as it is now and rejects when it cannot, in bounded time; it is called once at a time.
 * `elapsed` is a clock in milliseconds that never jumps.
 */
export function createRemoteKeys(options: {
  load: () => Promise<unknown>;
  elapsed: () => number;
  log: Logger;
}): FindKey {
  const { elapsed, log } = options;
  let held: { readonly keys: IssuerKeys; readonly at: number } | null = null;
  let flight: Promise<void> | null = null;
  let restUntil = -Infinity;

  const age = () => (held ? elapsed() - held.at : Infinity);

  /** One fetch at a time. Never rejects: a set that cannot be had leaves the one that we hold. */
  function fetchOnce(): Promise<void> {
    flight ??= options
      .load()
      .then((set) => {
        held = { keys: toIssuerKeys(set), at: elapsed() };
      })
      .catch((error: unknown) => {
        restUntil = elapsed() + REST_MS;
        log.warn({ err: error }, 'the issuer’s keys could not be fetched; those that are held go on');
      })
      .finally(() => {
        flight = null;
      });
    return flight;
  }

  /** Renews what is old: beside the request, or before it when it is too old to be believed. */
  async function renew(): Promise<void> {
    if (!held || age() < RENEW_MS || elapsed() < restUntil) return;
    const renewed = fetchOnce();
    if (age() >= STALE_MS) await renewed;
  }

  return async (keyId, algorithm) => {
    await renew();
    if (age() >= LOST_MS) held = null;
    // A fetch that is under way may bring the key; it was begun for another's sake and is not counted as ours.
    if (flight && !held?.keys.has(keyId)) await flight;
    if (!held?.keys.has(keyId) && elapsed() >= restUntil) {
      // Before the fetch and not after it: those who come while it flies must find that it has been spent.
      restUntil = elapsed() + REST_MS;
      await fetchOnce();
      if (held?.keys.has(keyId)) restUntil = -Infinity;
    }
    return held ? pick(held.keys, keyId, algorithm) : null;
  };
}

function pick(keys: IssuerKeys, keyId: string, algorithm: Algorithm): KeyObject | null {
  const found = keys.get(keyId);
  return found?.algorithms.includes(algorithm) ? found.key : null;
}
