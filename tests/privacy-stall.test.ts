/** No document stops the gateway, a bomb is refused at once, and errors do not tell the schema: see bench/privacy/stall.ts. */
import { describe, expect, it } from '@jest/globals';
import measureStalls from '../bench/privacy/stall.ts';

describe('a flood of hostile documents', () => {
  it('never stops the gateway, asks no department for a bomb, and learns no name of the schema', async () => {
    const figures = await measureStalls({ seed: 'test', size: 'test', print: () => undefined });
    expect(figures).toMatchObject({ bombCalls: 0, schemaRecovered: 0 });
    expect(figures['stallDocuments']).toBeGreaterThanOrEqual(60);
    // The goals are 50 ms and 5 ms of processor time; a planner on the main thread takes seconds.
    expect(figures['worstStallMs']).toBeLessThan(500);
    expect(figures['bombRefusedMs']).toBeLessThan(50);
  }, 120_000);
});
