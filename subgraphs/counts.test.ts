import { expect, it } from '@jest/globals';
import { LEAST_COUNT, toShownCount } from './counts.ts';

it.each([
  [0, false, null],
  [LEAST_COUNT - 1, false, null],
  [LEAST_COUNT, false, LEAST_COUNT],
  [LEAST_COUNT - 1, true, LEAST_COUNT - 1],
  [0, true, 0],
])('of %i, told to one who may read the rows: %s, is shown as %s', (count, mayReadRows, shown) => {
  expect(toShownCount(count, mayReadRows)).toEqual({ count: shown, isWithheld: shown === null });
});
