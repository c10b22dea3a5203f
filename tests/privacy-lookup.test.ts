/** That nobody has a number, that a name is another's, and that one may not look cannot be told apart; at a smaller size. */
import { expect, it } from '@jest/globals';
import lookup from '../bench/privacy/lookup.ts';

it('absent, another’s name and forbidden are the same bytes, and their times come from one distribution', async () => {
  const lines: string[] = [];
  const figures = await lookup({ seed: 'test', size: 'test', print: (line) => lines.push(line) });
  expect(figures).toMatchObject({ lookupBytesDiffer: 0, lookupTimings: 210, lookupsRefused: 210 });
  // Chance alone falls below this once in ten thousand runs.
  expect(figures['absentForbiddenP']).toBeGreaterThan(0.0001);
  expect(lines.join('\n')).not.toMatch(/1900\d{7}/);
}, 120_000);
