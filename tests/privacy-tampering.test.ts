/** The harness of `npm run bench -- privacy` at a smaller size. */
import { describe, expect, it } from '@jest/globals';
import tampering from '../bench/privacy/tampering.ts';

describe('whoever tampers with the audit log', () => {
  it('is found out, clumsy or an insider; an untouched log holds', async () => {
    const lines: string[] = [];
    const figures = await tampering({ seed: 'test', size: 'test', print: (line) => lines.push(line) });
    expect({ figures, lines }).toMatchObject({ figures: { tamperingsFound: 1, untouchedBreaches: 0 } });
    expect(figures['tamperings']).toBeGreaterThan(150);
  }, 60_000);
});
