/** Numbers that follow from a seed: the same seed, the same schedule. */
import { createHash } from 'node:crypto';

export interface Random {
  /** From 0 up to but not 1. */
  next(): number;
  /** One of several. */
  of<T>(choices: readonly [T, ...T[]]): T;
}

export function createRandom(seed: string): Random {
  let count = 0;
  const next = () => {
    const digest = createHash('sha256')
      .update(`${seed} ${(count += 1)}`)
      .digest();
    return digest.readUInt32BE(0) / 2 ** 32;
  };
  return { next, of: (choices) => choices[Math.floor(next() * choices.length)] ?? choices[0] };
}
