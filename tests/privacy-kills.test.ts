/** The harness of `npm run bench -- privacy` at a smaller size; on the disks of a user who may mount none it runs without. */
import { describe, expect, it } from '@jest/globals';
import kills from '../bench/privacy/kills.ts';

describe('nothing is disclosed without a record', () => {
  it('of a process that is killed at any moment, or whose disks run full', async () => {
    const lines: string[] = [];
    const figures = await kills({ seed: 'test', size: 'test', print: (line) => lines.push(line) });
    expect({ figures, lines }).toMatchObject({
      figures: { unloggedDisclosures: 0, kills: 12, answersWhileFull: 0 },
    });
    // The kills hit: answers were got, questions were cut off, and a process that answers first is found out.
    expect(figures['killAnswers']).toBeGreaterThan(12);
    expect(figures['killsCutOff']).toBeGreaterThan(12);
    expect(figures['carelessFound']).toBeGreaterThan(0);
    expect(figures['fullDisks']).toBe(process.getuid?.() === 0 ? 2 : 0);
    // Two lines on the disk and three words to the database: ten times that is not the disk's doing.
    expect(figures['auditP50Ms']).toBeLessThan(10 * (5 + 2 * (figures['auditDiskP50Ms'] ?? NaN)));
  }, 240_000);
});
