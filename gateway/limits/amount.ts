/** Counts of an operation that are known when its variables are. */
import type { OperationLimits } from './operation-limits.ts';
import { assertAtMost } from './operation-limits.ts';

/**
 * A count that may depend on the variables of a request. Most do not: they are one number, worked out with the operation,
 * and cost a request nothing.
 */
export type Amount = number | ((variables: Variables) => number);

/** Coerced: defaults are in, one value where a list is expected is a list. */
export type Variables = Readonly<Record<string, unknown>>;

export function amountOf(amount: Amount, variables: Variables): number {
  return typeof amount === 'number' ? amount : amount(variables);
}

export const plus = (a: Amount, b: Amount): Amount => combine(a, b, (x, y) => x + y);
export const times = (a: Amount, b: Amount): Amount => combine(a, b, (x, y) => x * y);
export const atLeast = (a: Amount, b: Amount): Amount => combine(a, b, Math.max);

function combine(a: Amount, b: Amount, join: (x: number, y: number) => number): Amount {
  if (typeof a === 'number' && typeof b === 'number') return join(a, b);
  return (variables) => join(amountOf(a, variables), amountOf(b, variables));
}

export interface Amounts {
  readonly cost: Amount;
  readonly values: Amount;
  readonly subjects: Amount;
}

/** Throws LIMIT_EXCEEDED. Without `variables` only what is the same for all of them is looked at. */
export function assertAmountsWithin(amounts: Amounts, limits: OperationLimits, variables?: Variables): void {
  for (const [name, amount] of Object.entries(amounts) as [keyof Amounts, Amount][]) {
    if (typeof amount === 'number') assertAtMost(name, amount, limits[name]);
    else if (variables) assertAtMost(name, amount(variables), limits[name]);
  }
}
