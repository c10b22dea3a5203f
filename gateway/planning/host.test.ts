import { describe, expect, it } from '@jest/globals';
import { composeSupergraph } from '../../schema/compose.ts';
import { startThread } from './host.ts';
import type { Job } from './jobs.ts';
import { createPenalties } from './penalties.ts';

const sdl = composeSupergraph([{ name: 'a', url: 'http://127.0.0.1:1/a', sdl: 'type Query { a: Int }' }]);
const job: Job = { kind: 'plan', document: '{ a }', operationName: null };

describe('a planning thread that is no more', () => {
  it('leaves no job without an answer', async () => {
    const thread = startThread({ sdl });
    await thread.started;
    expect(await thread.run(job, 10_000)).toMatchObject({ kind: 'answered' });
    const last = thread.run(job, 10_000);
    await Promise.all([expect(last).rejects.toThrow(/ended/), thread.close()]);
    expect(thread.isOver()).toBe(true);
    await expect(thread.run(job, 10_000)).rejects.toThrow(/no more/);
  });
});

describe('penalties', () => {
  it('double with each offence in a row, up to a bound, and are forgotten in time', () => {
    let now = 0;
    const penalties = createPenalties(1_000, () => now);
    expect(penalties.left('a')).toBe(0);
    const waits = Array.from({ length: 8 }, () => {
      penalties.add('a');
      const left = penalties.left('a');
      now += left;
      return left;
    });
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 32_000, 32_000]);
    expect(penalties.left('b')).toBe(0);
    now += 320_001;
    penalties.add('a');
    expect(penalties.left('a')).toBe(1_000);
  });
});
