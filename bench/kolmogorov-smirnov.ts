/**
 * The two-sample Kolmogorov–Smirnov test: are two lists of numbers drawn from one distribution, whatever it is?
 * The p-value is the asymptotic one with Stephens' correction (Numerical Recipes, 3rd edition, 6.14.12 and 14.3.3), good from
 * an effective size of 4 on; with ties it errs to the high side.
 */
export interface Comparison {
  /** The greatest distance of the two empirical distribution functions, 0 to 1. */
  readonly distance: number;
  /** How likely so great a distance is when there is no difference, 0 to 1. */
  readonly p: number;
}

/** Throws RangeError for an empty sample. */
export function compareSamples(one: readonly number[], other: readonly number[]): Comparison {
  if (one.length === 0 || other.length === 0) throw new RangeError('a sample is empty');
  const [a, b] = [[...one].sort((x, y) => x - y), [...other].sort((x, y) => x - y)];
  let [inA, inB, distance] = [0, 0, 0];
  while (inA < a.length && inB < b.length) {
    const value = Math.min(a[inA] as number, b[inB] as number);
    // Past all entries that are equal, in both: between ties there is no distance.
    while (a[inA] === value) inA += 1;
    while (b[inB] === value) inB += 1;
    distance = Math.max(distance, Math.abs(inA / a.length - inB / b.length));
  }
  const root = Math.sqrt((a.length * b.length) / (a.length + b.length));
  return { distance, p: kolmogorovTail((root + 0.12 + 0.11 / root) * distance) };
}

/** P(K > x) of the Kolmogorov distribution. */
export function kolmogorovTail(x: number): number {
  if (x <= 0) return 1;
  // Two series of one function: each converges fast where the other does not.
  if (x < 1.18) {
    const y = Math.exp(-(Math.PI ** 2) / (8 * x * x));
    return 1 - (Math.sqrt(2 * Math.PI) / x) * (y + y ** 9 + y ** 25 + y ** 49);
  }
  const y = Math.exp(-2 * x * x);
  return 2 * (y - y ** 4 + y ** 9);
}

/** The p of the least of several comparisons, corrected for their number (Bonferroni): all alike, or not. */
export function combine(ps: readonly number[]): number {
  return Math.min(1, ps.length * Math.min(...ps));
}
