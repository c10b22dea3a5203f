/**
 * How long the gateway may keep each entity of an answer: `extensions.jinxin.maxAge`, seconds, one per representation in
 * their order, those of several variables one after the other. 0 where nothing was said about the subject: what is not known to be cacheable is not cached. Beside it
 * `grace`, where the catalogue lets an answer stand in for a fresh one: how many seconds longer, marked STALE.
 */
import { z } from 'zod';
import type { DepartmentCatalogue } from '../schema/catalogue.ts';
import { isRepresentationsVariable } from '../schema/joint-fetch.ts';

export interface CacheHints {
  readonly maxAge: readonly number[];
  readonly grace?: readonly Grace[];
}

interface Grace {
  readonly whileRevalidating: number;
  readonly onError: number;
}

const bodySchema = z.object({ variables: z.record(z.string(), z.unknown()) });
const representationsSchema = z.array(z.looseObject({ id: z.string().optional() }));
const NEVER: Grace = { whileRevalidating: 0, onError: 0 };

export function createCacheHints(): {
  /** The least wins. `longest`: seconds after which it may not even stand in for a fresh one. */
  mayCache(subjectId: string, seconds: number, longest?: number): void;
  /** The hints for a request body; null when it asked for no entities. */
  of(body: string, grace: Grace | null): CacheHints | null;
} {
  const least = new Map<string, { readonly seconds: number; readonly longest: number }>();
  return {
    mayCache(subjectId, seconds, longest = seconds) {
      const before = least.get(subjectId) ?? { seconds: Infinity, longest: Infinity };
      least.set(subjectId, {
        seconds: Math.min(seconds, before.seconds),
        longest: Math.min(longest, before.longest),
      });
    },
    of(body, grace) {
      if (least.size === 0) return null;
      const parsed = bodySchema.safeParse(JSON.parse(body));
      if (!parsed.success) return null;
      const lists = Object.entries(parsed.data.variables).flatMap(([name, value]) =>
        isRepresentationsVariable(name) ? [representationsSchema.safeParse(value)] : [],
      );
      if (lists.length === 0 || !lists.every(({ success }) => success)) return null;
      const known = lists
        .flatMap(({ data = [] }) => data)
        .map(({ id }) => (id === undefined ? undefined : least.get(id)));
      return {
        maxAge: known.map((one) => one?.seconds ?? 0),
        ...(grace
          ? { grace: known.map((one) => (one ? within(grace, one.longest - one.seconds) : NEVER)) }
          : {}),
      };
    },
  };
}

function within({ whileRevalidating, onError }: Grace, seconds: number): Grace {
  const most = (wanted: number) => Math.max(0, Math.min(wanted, seconds));
  return { whileRevalidating: most(whileRevalidating), onError: most(onError) };
}

/**
 * Whether an answer with these items may stand in for a fresh one. Not whether this principal needs consent counts, but
 * whether anybody does: what is kept is kept for everybody.
 */
export function graceOf({ stale, items }: DepartmentCatalogue, asked: readonly string[]): Grace | null {
  if (!stale) return null;
  const needsConsent = items.some(
    ({ id, use }) => asked.includes(id) && use.some(({ requires }) => requires === 'CONSENT'),
  );
  if (needsConsent && !stale.withConsent) return null;
  return { whileRevalidating: stale.whileRevalidating ?? 0, onError: stale.onError ?? 0 };
}
