/** One fetched object into another. Two fetches may write the same object: it is always a merge, never an assignment. */
import type { GraphQLSchema } from 'graphql';
import { isObjectType } from 'graphql';
import { isData } from './own.ts';

type Target = Record<string, unknown>;

/**
 * Objects into objects, lists of one length by position, and of two scalars the later; a null never takes the place of a
 * value. Nested objects of `source` become part of `target`: whoever merges one source into several copies it first, unless
 * whatever is merged into them later is the same for all.
 */
export type Merge = (target: object, source: object) => void;

/** `schema`: of the supergraph, for types that a subgraph knows only as an interface. */
export function createMerge(schema: GraphQLSchema): Merge {
  const merge = (target: Target, source: Readonly<Target>): void => {
    for (const key of Object.keys(source)) {
      // Own to what JSON.parse made of it, and the prototype of whatever it is assigned to.
      if (key === '__proto__') continue;
      const value = source[key];
      const known = key in Object.prototype && !Object.hasOwn(target, key) ? undefined : target[key];
      if (known === undefined || known === null) target[key] = value;
      else if (value !== undefined && value !== null) target[key] = join(known, value, key);
    }
  };

  function join(known: unknown, value: unknown, key: string): unknown {
    if (typeof known !== 'object' || typeof value !== 'object')
      return key === '__typename' ? narrower(known, value) : value;
    if (Array.isArray(known) && Array.isArray(value)) {
      if (known.length === value.length)
        value.forEach((entry: unknown, at) => {
          const before: unknown = known[at];
          if (before === null) known[at] = entry;
          else if (entry !== null) known[at] = join(before, entry, '');
        });
    } else if (isData(known) && isData(value)) {
      merge(known, value);
    }
    return known;
  }

  /** What a subgraph knows only as an interface never takes the place of the type that another knows. */
  function narrower(known: unknown, value: unknown): unknown {
    return typeof known === 'string' && isObjectType(schema.getType(known)) ? known : value;
  }

  return merge as Merge;
}
