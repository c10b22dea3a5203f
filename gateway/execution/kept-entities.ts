/** One entity as it is kept, in this process and, as text, where other processes find it. */
import { z } from 'zod';
import { freezeDeeply } from './frozen.ts';
import { toStale } from './stale.ts';
import type { EntityResult, Loaded } from './entity-cache.ts';

export interface Kept {
  /** Frozen to its leaves: many requests hold it. */
  readonly result: EntityResult;
  /** The same marked as STALE; null where it cannot be marked, and is therefore never given. Made when it is first wanted. */
  stale(): EntityResult | null;
  /** Milliseconds since the epoch. */
  readonly freshUntil: number;
  readonly revalidateUntil: number;
  readonly errorUntil: number;
  /** How far changes were known before it was asked for. */
  readonly stamp: number;
  /** Count of changes at which it was last found to be current. */
  checkedAt: number;
  readonly bytes: number;
}

/** Nothing is kept longer, whatever a department says: for as long as this changes are remembered, and longer. */
const MOST_SECONDS = 86_400;
const KEPT_BYTES = 250;
const NO_ERRORS: readonly never[] = Object.freeze([]);

export const isLasting = ({ errors, maxAge }: Loaded): boolean => maxAge > 0 && errors.length === 0;

export function toKept(loaded: Loaded, stamp: number, now: number): Kept {
  const until = (seconds: number) => now + Math.min(MOST_SECONDS, loaded.maxAge + seconds) * 1_000;
  return make(loaded.entity, {
    freshUntil: until(0),
    revalidateUntil: until(loaded.grace?.whileRevalidating ?? 0),
    errorUntil: until(loaded.grace?.onError ?? 0),
    stamp,
  });
}

type Times = Pick<Kept, 'freshUntil' | 'revalidateUntil' | 'errorUntil' | 'stamp'>;

function make(entity: EntityResult['entity'], times: Times): Kept {
  const bytes = KEPT_BYTES + freezeDeeply(entity);
  let stale: EntityResult | null | undefined;
  return {
    result: Object.freeze({ entity, errors: NO_ERRORS }),
    stale() {
      if (stale !== undefined) return stale;
      const marked = toStale(entity);
      if (marked) freezeDeeply(marked);
      return (stale = marked && Object.freeze({ entity: marked, errors: NO_ERRORS }));
    },
    ...times,
    checkedAt: -1,
    bytes,
  };
}

/** The last moment at which it is of any use. */
export const usableUntil = ({ freshUntil, revalidateUntil, errorUntil }: Kept): number =>
  Math.max(freshUntil, revalidateUntil, errorUntil);

const textSchema = z.tuple([z.number(), z.number(), z.number(), z.number(), z.unknown()]);

export function toText({ freshUntil, revalidateUntil, errorUntil, stamp, result }: Kept): string {
  return JSON.stringify([freshUntil, revalidateUntil, errorUntil, stamp, result.entity]);
}

/** Null for a text of another form. It was sealed by one of us: the entity in it is one. */
export function fromText(text: string): Kept | null {
  const parsed = textSchema.safeParse(JSON.parse(text));
  if (!parsed.success) return null;
  const [freshUntil, revalidateUntil, errorUntil, stamp, entity] = parsed.data;
  return make(entity as EntityResult['entity'], { freshUntil, revalidateUntil, errorUntil, stamp });
}
