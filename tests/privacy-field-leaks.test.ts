/** The harness of `npm run bench -- privacy --only field-leaks` at its small size, and its own judgement. */
import { describe, expect, it } from '@jest/globals';
import fieldLeaks from '../bench/privacy/field-leaks.ts';
import { createAskers } from '../bench/privacy/shared/askers.ts';
import { createCanaries } from '../bench/privacy/shared/canaries.ts';
import { createSubjects, readCatalogue, readSupergraph } from '../bench/privacy/shared/files.ts';
import { findAccesses, protectedFields, readGraph } from '../bench/privacy/shared/graph.ts';
import { judgeAnswer } from '../bench/privacy/shared/judge.ts';
import { createOracle } from '../bench/privacy/shared/oracle.ts';
import { SHAPES } from '../bench/privacy/shared/shapes.ts';
import { PRINCIPAL_KINDS, PURPOSES } from '../schema/purpose.ts';

it('lets nobody see a field that the catalogue does not grant, in whatever shape it is asked for', async () => {
  const lines: string[] = [];
  const figures = await fieldLeaks({ seed: 'test', size: 'test', print: (line) => lines.push(line) });
  expect({ ...figures, told: lines.filter((line) => /LEAK|DENIED/.test(line)) }).toMatchObject({
    fieldLeaks: 0,
    fieldsCovered: 1,
    fieldsAnswered: 1,
    deniedAsked: 0,
    // The same check before a careless gateway sees every field that gets out: it can fail.
    fieldLeaksSeenInControl: 1,
    told: [],
  });
}, 600_000);

describe('the harness', () => {
  const graph = readGraph(readSupergraph());
  const oracle = createOracle(readCatalogue());
  const subjects = createSubjects('test', 2);

  it('reads as many fields from the supergraph as it has lines with a policy', () => {
    const lines = readSupergraph().match(/ @policy\(policies: \[\["/g) ?? [];
    expect(protectedFields(graph)).toHaveLength(lines.length);
  });

  it('has twelve shapes and more, and a way to every protected field of an object', () => {
    expect(Object.keys(SHAPES).length).toBeGreaterThanOrEqual(12);
    const reached = new Set(
      findAccesses(graph).flatMap(({ coordinates }) => coordinates.map(({ id }) => id)),
    );
    const objects = protectedFields(graph).filter(({ type }) => graph.get(type)?.kind === 'object');
    expect(objects.filter(({ id }) => !reached.has(id))).toEqual([]);
  });

  it('asks as every kind with every purpose', () => {
    const askers = createAskers(oracle, subjects[0] as (typeof subjects)[0], 'P1-person', 'test');
    const combinations = new Set(askers.map(({ kind, purpose }) => `${kind} ${purpose}`));
    expect(combinations.size).toBe(PRINCIPAL_KINDS.length * PURPOSES.length);
  });

  it('sees a value that stands in an error, one in its place, and one that should have been masked', () => {
    const canaries = createCanaries('test');
    const coordinate = protectedFields(graph).find(({ id }) => id === 'TaxYearAmount.amount');
    if (!coordinate) throw new Error('the supergraph has changed');
    const value = canaries.valueOf(coordinate.id, 'Float', 0);
    const place = (verdict: 'allow' | 'mask' | 'deny') => [
      { coordinate, keys: ['a', 'amount'], verdictOf: () => verdict },
    ];
    const data = { a: [{ amount: value }] };
    const found = canaries.findIn(JSON.stringify({ data, errors: [`no ${String(value)}`] }));
    const how = (verdict: 'allow' | 'mask' | 'deny') =>
      judgeAnswer(data, found, place(verdict)).leaks.map((leak) => leak.how);
    expect([how('allow'), how('mask'), how('deny')]).toEqual([
      [],
      ['CLEAR', 'CLEAR'],
      ['VALUE', 'VALUE', 'PLACE'],
    ]);
    expect(judgeAnswer({ a: null }, found, []).leaks.map((leak) => leak.how)).toEqual(['VALUE', 'VALUE']);
  });
});
