import { createHash } from 'node:crypto';

/** Numbers in [0, 1) that follow from the seed: the same seed, the same schedule. */
export function createRandom(seed: string): () => number {
  let count = 0;
  return () => {
    const digest = createHash('sha256').update(`${seed}\0${count++}`).digest();
    return digest.readUIntBE(0, 6) / 2 ** 48;
  };
}
