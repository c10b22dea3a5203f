/**
 * Counts over many subjects. Of a handful a count is almost the row itself, so whoever may not read the rows is told small
 * counts by no number. What is counted must be in fixed, disjoint parts: of two that overlap the difference would be a small one.
 */

/** The least count that is told to whoever may not read the rows. */
export const LEAST_COUNT = 10;

export interface ShownCount {
  /** Null when it is withheld. */
  readonly count: number | null;
  readonly isWithheld: boolean;
}

/** 0 is withheld like 9: that somebody is not among them is told of them as well. */
export function toShownCount(count: number, mayReadRows: boolean): ShownCount {
  const isWithheld = !mayReadRows && count < LEAST_COUNT;
  return { count: isWithheld ? null : count, isWithheld };
}
