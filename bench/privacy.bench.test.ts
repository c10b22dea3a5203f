import { expect, it } from '@jest/globals';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import privacy, { OWED, ROOM } from './privacy.bench.ts';

it('has every part that it runs, and runs every part that there is', async () => {
  const there = readdirSync(ROOM, { withFileTypes: true }).filter((entry) => entry.isFile());
  expect(there.map(({ name }) => name).sort()).toEqual(
    Object.keys(OWED)
      .map((part) => `${part}.ts`)
      .sort(),
  );
  for (const { name } of there) {
    const part = (await import(join(ROOM, name))) as { default?: unknown };
    expect([name, typeof part.default]).toEqual([name, 'function']);
  }
});

it('prints the seed and the figures of the parts that are asked for, and refuses a part that it has not', async () => {
  const lines: string[] = [];
  const run = (...flags: string[]) => privacy((line) => lines.push(line), ['--size', 'test', ...flags]);
  const figures = await run('--seed', 'a', '--only', 'tokens');
  expect(lines[0]).toBe('seed a');
  expect(figures).toMatchObject({ seed: 'a', forgedAccepted: 0, validRefused: 0 });
  await expect(run('--only', 'tokens,issuer')).rejects.toThrow('there is no part issuer');
});
