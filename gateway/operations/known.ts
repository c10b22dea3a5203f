/** The operations that were asked lately, and how often: what a new supergraph prepares before it is served. */
import { LRUCache } from 'lru-cache';
import type { Asker } from '../authorization/decide.ts';

export interface KnownOperation {
  readonly query: string;
  readonly operationName: string | null;
  /** Those that `@skip` and `@include` were given. */
  readonly variables: Readonly<Record<string, boolean>>;
  /** Of those who asked: what they are denied is cut before an operation is planned. */
  readonly asker: Asker;
  readonly mayIntrospect: boolean;
}

export interface KnownOperations {
  /** `key`: the operation and those who ask it, as one string. `make` is called for one that is new. */
  note(key: string, make: () => KnownOperation): void;
  /** The most used first. What was used long ago counts half each time that this is asked. */
  mostUsed(most: number): readonly KnownOperation[];
}

export function createKnownOperations(limits: {
  readonly entries: number;
  readonly characters: number;
}): KnownOperations {
  const known = new LRUCache<string, { readonly operation: KnownOperation; uses: number }>({
    max: limits.entries,
    maxSize: limits.characters,
    sizeCalculation: ({ operation }) => operation.query.length + 1,
  });
  return {
    note(key, make) {
      const entry = known.get(key);
      if (entry) entry.uses += 1;
      else known.set(key, { operation: make(), uses: 1 });
    },
    mostUsed(most) {
      const entries = [...known.values()].sort((a, b) => b.uses - a.uses);
      for (const entry of entries) entry.uses /= 2;
      return entries.slice(0, most).map(({ operation }) => operation);
    },
  };
}
