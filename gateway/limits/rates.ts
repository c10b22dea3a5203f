/**
 * How often: requests a second per consumer (the public is told apart by address), and whatever else is counted by a key.
 * Counted together by all processes where there is a Redis, by each one for itself while there is none.
 */
import type { Counters } from '../../adapters/redis/counters.ts';
import { createError } from '../../schema/errors.ts';

/** Rejects with RATE_LIMITED; `extensions.retryAfter` is in seconds. */
export type TakeRate = (key: string, points?: number) => Promise<void>;

export interface ConsumerRates {
  /** Requests a second. */
  readonly fallback: number;
  /** Those of whom another number was agreed. */
  readonly of: ReadonlyMap<string, number>;
}

/** "bank-a=200,default=50": requests a second; `fallback` where there is no default. Null when it does not read so. */
export function readConsumerRates(text: string, fallback: number): ConsumerRates | null {
  const of = new Map<string, number>();
  for (const part of text.split(',').filter((one) => one.trim() !== '')) {
    const [, consumer, perSecond] = /^\s*(.+?)\s*=\s*([1-9]\d{0,6})\s*$/.exec(part) ?? [];
    if (consumer === undefined || of.has(consumer)) return null;
    of.set(consumer, Number(perSecond));
  }
  const standing = of.get('default') ?? fallback;
  of.delete('default');
  return { fallback: standing, of };
}

export function createRates({ fallback, of }: ConsumerRates, counters: Counters): TakeRate {
  // A counter for each number: a consumer has one number, so that none of them is counted in two.
  const numbers = new Set([fallback, ...of.values()]);
  const rates = new Map(
    [...numbers].map((perSecond) => [
      perSecond,
      createKeyedRates(`requests-${perSecond}`, perSecond, 1, counters),
    ]),
  );
  return async (consumer) => rates.get(of.get(consumer) ?? fallback)?.(consumer);
}

/** `points` for each key in `seconds`; `name` tells it from other limits. Nothing of a key can be read where it is counted. */
export function createKeyedRates(
  name: string,
  points: number,
  seconds: number,
  counters: Counters,
): TakeRate {
  const take = counters.counter(name, points, seconds);
  return async (key, taken) => {
    const wait = await take(key, taken);
    if (wait === null) return;
    throw createError('RATE_LIMITED', { extensions: { retryAfter: Math.max(1, Math.ceil(wait / 1_000)) } });
  };
}
