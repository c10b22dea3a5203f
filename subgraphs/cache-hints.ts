/**
 * How long the gateway may keep each entity of an answer: `extensions.jinxin.maxAge`, seconds, for each variable that holds
 * representations one number per representation in their order. 0 where nothing was said about the subject: what is not
 * known to be cacheable is not cached.
 */
import { z } from 'zod';

const bodySchema = z.object({ variables: z.record(z.string(), z.unknown()) });
const representationsSchema = z.array(z.looseObject({ __typename: z.string(), id: z.string().optional() }));

/** One list for the variable `representations` alone, else a list for each variable that holds some. */
export type CacheHints = readonly number[] | Readonly<Record<string, readonly number[]>>;

export function createCacheHints(): {
  mayCache(subjectId: string, seconds: number): void;
  /** The hints for a request body; null when it asked for no entities. */
  of(body: string): CacheHints | null;
} {
  const least = new Map<string, number>();
  return {
    mayCache(subjectId, seconds) {
      least.set(subjectId, Math.min(seconds, least.get(subjectId) ?? Infinity));
    },
    of(body) {
      if (least.size === 0) return null;
      const parsed = bodySchema.safeParse(JSON.parse(body));
      if (!parsed.success) return null;
      const lists = new Map<string, readonly number[]>();
      for (const [name, value] of Object.entries(parsed.data.variables)) {
        const representations = representationsSchema.safeParse(value);
        if (representations.success)
          lists.set(
            name,
            representations.data.map(({ id }) => (id === undefined ? 0 : (least.get(id) ?? 0))),
          );
      }
      if (lists.size === 0) return null;
      const only = lists.size === 1 ? lists.get('representations') : undefined;
      return only ?? Object.fromEntries(lists);
    },
  };
}
