import { describe, expect, it } from '@jest/globals';
import { buildSchema, parse } from 'graphql';
import { createRights } from '../authorization/rights.ts';
import { DEFAULT_LIMITS } from '../limits/operation-limits.ts';
import { NO_RULES } from '../../schema/catalogue.ts';
import { ANONYMOUS } from '../../schema/principal.ts';
import { createOperations, weigh } from './prepare.ts';

const schema = buildSchema('type Query { a: Query b: Int } type Mutation { c: Int }');
const rights = createRights(NO_RULES, new Map(), ANONYMOUS);
const createPrepare = (bytes: number) => createOperations({ schema, limits: DEFAULT_LIMITS, bytes });

describe('a prepared operation', () => {
  it('is prepared once, and refused once', () => {
    const prepare = createPrepare(1_000_000);
    for (const query of ['{ b }', '{ nope }', '{ b']) {
      const request = { query, operationName: null };
      expect(prepare(request, rights, true)).toBe(prepare(request, rights, true));
    }
  });

  it('is another one under another name, and for who may introspect', () => {
    const prepare = createPrepare(1_000_000);
    const query = 'query A { b } query B { a { b } } query S { __schema { queryType { name } } }';
    const [a, b] = ['A', 'B'].map((operationName) => prepare({ query, operationName }, rights, true));
    expect([a, b]).toMatchObject([
      { operation: { name: { value: 'A' } } },
      { operation: { name: { value: 'B' } } },
    ]);
    expect(prepare({ query, operationName: 'S' }, rights, true)).toMatchObject({ cut: new Map() });
    expect(prepare({ query, operationName: 'S' }, rights, false)).toMatchObject([
      { extensions: { code: 'INVALID_OPERATION' } },
    ]);
  });

  it('of any size weighs at least what it holds, so that a flood of large ones is bounded', () => {
    const dense = `{ ${'a { b } '.repeat(500)} }`;
    const padded = `{ b } #${'x'.repeat(250_000)}`;
    expect(weigh(dense, parse(dense))).toBeGreaterThan(2_000 * 200);
    expect(weigh(padded, null)).toBeGreaterThanOrEqual(500_000);
    const prepare = createPrepare(2_000_000);
    const first = prepare({ query: padded, operationName: null }, rights, true);
    for (let at = 0; at < 20; at++) prepare({ query: `${padded}${at}`, operationName: null }, rights, true);
    expect(prepare({ query: padded, operationName: null }, rights, true)).not.toBe(first);
  });
});
