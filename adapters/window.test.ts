import { expect, it } from '@jest/globals';
import { isWithin } from './window.ts';

it.each([
  ['22:00', '06:00', '23:59', true],
  ['22:00', '06:00', '05:59', true],
  ['22:00', '06:00', '06:00', false],
  ['22:00', '06:00', '21:59', false],
  ['00:00', '00:00', '12:00', true],
  ['08:30', '17:30', '17:30', false],
  ['08:30', '24:00', '23:59', true],
])('a window from %s to %s holds %s: %s', (from, to, time, expected) => {
  const now = Date.parse(`2026-11-24T${time}:00+08:00`);
  expect(isWithin({ from, to }, now)).toBe(expected);
});
