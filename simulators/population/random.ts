import { createHash } from 'node:crypto';

/** Chance that is the same in every run: a stream of its own for every (seed, code, topic). */
export interface Random {
  /** A whole number, both ends included. */
  int(min: number, max: number): number;
  /** True with probability p. */
  chance(p: number): boolean;
  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T;
  /** A day, both ends included, all as `YYYY-MM-DD`. */
  date(from: string, to: string): string;
}

const DAY = 86_400_000;

/**
 * A simulator takes one stream per record topic ('tax grade', 'arrears'), so that a new topic changes nothing of the
 * others, and what a department says of a company does not depend on who else is in the population.
 */
export function randomFor(seed: string, code: string, topic: string): Random {
  const next = createStream(JSON.stringify([seed, code, topic]));
  const int = (min: number, max: number): number => {
    if (!(min <= max)) throw new RangeError(`no whole number between ${min} and ${max}`);
    return min + Math.floor(next() * (max - min + 1));
  };
  return {
    int,
    chance: (p) => next() < p,
    pick<T>(list: readonly T[]): T {
      if (list.length === 0) throw new RangeError('nothing to pick from');
      return list[int(0, list.length - 1)] as T;
    },
    date: (from, to) =>
      new Date(int(Date.parse(from) / DAY, Date.parse(to) / DAY) * DAY).toISOString().slice(0, 10),
  };
}

/** mulberry32 from the first 32 bits of the key's SHA-256: numbers in [0, 1). For make-believe only, never for secrets. */
function createStream(key: string): () => number {
  let state = createHash('sha256').update(key).digest().readUInt32LE(0);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
