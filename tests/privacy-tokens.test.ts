import { describe, expect, it } from '@jest/globals';
import tokens from '../bench/privacy/tokens.ts';

describe('access tokens at the front door', () => {
  it('that are forged are all refused, and valid ones are let in through rotations, a flood and an ill issuer', async () => {
    const said: string[] = [];
    const figures = await tokens({ seed: 'test', size: 'test', print: (line) => said.push(line) });
    expect({ ...figures, said: said.filter((line) => line.includes('not refused')) }).toMatchObject({
      forgedAccepted: 0,
      validRefused: 0,
      rotations: 100,
      jwksFetchesPer30s: 1,
      said: [],
    });
    expect(figures['forgeries']).toBeGreaterThanOrEqual(60);
    expect(figures['validSent']).toBeGreaterThan(700);
  });
});
