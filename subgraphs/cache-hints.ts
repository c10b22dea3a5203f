/**
 * How long the gateway may keep each entity of an answer: `extensions.jinxin.maxAge`, seconds, one per representation in
 * their order. 0 where nothing was said about the subject: what is not known to be cacheable is not cached.
 */
import { z } from 'zod';

const bodySchema = z.object({
  variables: z.object({ representations: z.array(z.looseObject({ id: z.string().optional() })) }),
});

export function createCacheHints(): {
  mayCache(subjectId: string, seconds: number): void;
  /** The hints for a request body; null when it asked for no entities. */
  of(body: string): readonly number[] | null;
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
      return parsed.data.variables.representations.map(({ id }) =>
        id === undefined ? 0 : (least.get(id) ?? 0),
      );
    },
  };
}
