/**
 * Which signed principals have been used: each is good for one request. Memory is bounded, and what was forgotten early, or
 * before a clock was set back, is refused rather than accepted twice.
 */

export interface ReplayGuard {
  /** False when the id was used before, or when it can no longer be told. `exp` and `now` in seconds since the epoch. */
  accept(assertion: { readonly jti: string; readonly exp: number }, now: number): boolean;
}

/** Some forty megabytes at most: nine thousand requests a second for as long as a signature may hold. */
const MOST_IDS = 300_000;

export function createReplayGuard(most = MOST_IDS): ReplayGuard {
  // By the second in which they expire, in no order: there are never more than some sixty.
  const used = new Map<number, Set<string>>();
  let count = 0;
  /** Of what expires up to here nothing is known any more. */
  let forgottenUntil = -Infinity;

  function forget(exp: number): void {
    count -= used.get(exp)?.size ?? 0;
    used.delete(exp);
    forgottenUntil = Math.max(forgottenUntil, exp);
  }

  return {
    accept({ jti, exp }, now) {
      for (const second of used.keys()) if (second < now) forget(second);
      if (exp <= forgottenUntil) return false;
      const ids = used.get(exp) ?? new Set();
      if (ids.has(jti)) return false;
      used.set(exp, ids.add(jti));
      count++;
      while (count > most) forget(Math.min(...used.keys()));
      return true;
    },
  };
}
