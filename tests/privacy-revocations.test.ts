import { expect, it } from '@jest/globals';
import revocations from '../bench/privacy/revocations.ts';

it('shows no field after the withdrawal of its consent was acknowledged, at either of two gateways', async () => {
  const { afterRevocation, interleavings } = await revocations({
    seed: 'test',
    size: 'test',
    print: () => {},
  });
  expect(interleavings).toBeGreaterThanOrEqual(150);
  expect(afterRevocation).toBe(0);
}, 180_000);
