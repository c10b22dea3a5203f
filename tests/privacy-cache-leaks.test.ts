/** The harness of `npm run bench -- privacy --only cache-leaks` at its small size, and its own means. */
import { describe, expect, it } from '@jest/globals';
import cacheLeaks from '../bench/privacy/cache-leaks.ts';
import { createCacheAskers } from '../bench/privacy/shared/cache-world.ts';
import { createSubjects, readCatalogue } from '../bench/privacy/shared/files.ts';
import { withLabItems } from '../bench/privacy/shared/lab.ts';
import { findMutants } from '../bench/privacy/shared/mutants.ts';
import { createOracle } from '../bench/privacy/shared/oracle.ts';

it('answers everybody as if nobody had asked before, and would be noticed if it did not', async () => {
  const lines: string[] = [];
  const figures = await cacheLeaks({ seed: 'test', size: 'test', print: (line) => lines.push(line) });
  expect({ ...figures, told: lines.filter((line) => /LEAK|NOT CAUGHT/.test(line)) }).toMatchObject({
    cacheLeaks: 0,
    cacheTriples: 2_040,
    keyMutantsCaught: 1,
    told: [],
  });
}, 600_000);

describe('the harness', () => {
  it('has a mutant for every component of every key', () => {
    const byKey = findMutants().map(({ name }) => name.split(' without ')[0]);
    const count = (key: string) => byKey.filter((one) => one === key).length;
    expect(count('entity cache')).toBeGreaterThanOrEqual(5);
    expect(count('prepared operation')).toBeGreaterThanOrEqual(5);
    expect(new Set(byKey)).toEqual(
      new Set(['entity cache', 'single flight', 'prepared operation', 'rights', 'cut of a fetch']),
    );
  });

  it('asks as principals that differ in kind, purpose, department, consent or self alone', () => {
    const oracle = createOracle(withLabItems(readCatalogue()));
    const askers = createCacheAskers(oracle, createSubjects('test', 4));
    const differsIn = (name: 'kind' | 'purpose' | 'department' | 'consents' | 'subjects') =>
      askers.some((one) =>
        askers.some((other) => {
          const { [name]: a, id: _, ...rest } = { department: '', ...one };
          const { [name]: b, id: __, ...others } = { department: '', ...other };
          return JSON.stringify(a) !== JSON.stringify(b) && JSON.stringify(rest) === JSON.stringify(others);
        }),
      );
    expect((['kind', 'purpose', 'department', 'consents', 'subjects'] as const).map(differsIn)).toEqual([
      true,
      true,
      true,
      true,
      true,
    ]);
  });
});
