/** The harness of `npm run bench -- privacy --only foreign-router` with the stock gateway of Apollo as the foreign router. */
import { expect, it } from '@jest/globals';
import foreignRouter from '../bench/privacy/foreign-router.ts';

it('gives a router that nobody signs for nothing, and one that is signed for what it asks', async () => {
  const lines: string[] = [];
  const figures = await foreignRouter({ seed: 'test', size: 'test', print: (line) => lines.push(line) });
  expect({ ...figures, told: lines.filter((line) => line.includes('LEAK')) }).toMatchObject({
    foreignRouterLeaks: 0,
    told: [],
  });
  expect(figures['foreignRouterControl']).toBeGreaterThan(0.5);
}, 600_000);
