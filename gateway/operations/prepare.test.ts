import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'graphql';
import { pino } from 'pino';
import { NO_RULES } from '../../schema/catalogue.ts';
import { composeSupergraph } from '../../schema/compose.ts';
import { ANONYMOUS } from '../../schema/principal.ts';
import { createRights } from '../authorization/rights.ts';
import { DEFAULT_LIMITS } from '../limits/operation-limits.ts';
import type { RootAsk } from '../execution/program/program.ts';
import type { Supergraph } from '../supergraph/load.ts';
import { loadSupergraph } from '../supergraph/load.ts';
import { weigh } from './document.ts';
import { createOperations } from './prepare.ts';
import { createRun } from './run.ts';

const rights = createRights(NO_RULES, new Map(), ANONYMOUS);
const consumer = 'bank-a';
let supergraph: Supergraph;
let asked: string[];

const load = () =>
  loadSupergraph(
    composeSupergraph([
      {
        name: 'letters',
        url: 'http://127.0.0.1:1/letters/graphql',
        sdl: 'type Query { a: Query b(n: Int): Int code(of: CreditCode!): Int } type Mutation { c: Int }',
      },
    ]),
    { log: pino({ level: 'silent' }) },
  );
/** A department that answers every root field with one. */
const by = {
  deadline: Infinity,
  fetch: {
    root({ fetch }: RootAsk) {
      asked.push(fetch.without(new Set()).query ?? '');
      return Promise.resolve({ data: { b: 1 }, errors: [] });
    },
    entities: () => Promise.resolve([]),
  },
};
const ofVariables = (variables: Readonly<Record<string, unknown>>) => ({
  variables,
  consumer,
});
beforeAll(async () => {
  supergraph = await load();
});
afterAll(() => supergraph.close());

const createPrepare = (bytes: number, of: Supergraph = supergraph) => {
  asked = [];
  return createOperations({ supergraph: of, limits: DEFAULT_LIMITS, bytes });
};

describe('a prepared operation', () => {
  it('is prepared once, and refused once', async () => {
    const prepare = createPrepare(1_000_000);
    for (const query of ['{ b }', '{ nope }', '{ b']) {
      const request = { query, operationName: null, variables: {}, consumer };
      expect(await prepare(request, rights, true)).toBe(await prepare(request, rights, true));
    }
  });

  it('is prepared once for those who ask at the same time', async () => {
    const prepare = createPrepare(1_000_000);
    const request = { query: '{ b }', operationName: null, variables: {}, consumer };
    const [first, second] = await Promise.all([1, 2].map(() => prepare(request, rights, true)));
    expect(first).toBe(second);
  });

  it('is another one under another name, and for who may introspect', async () => {
    const prepare = createPrepare(1_000_000);
    const query = 'query A { b } query B { a { b } } query S { __schema { queryType { name } } }';
    const ask = (operationName: string, mayIntrospect: boolean) =>
      prepare({ query, operationName, variables: {}, consumer }, rights, mayIntrospect);
    expect([await ask('A', true), await ask('B', true)]).toMatchObject([
      { operation: { name: { value: 'A' } } },
      { operation: { name: { value: 'B' } } },
    ]);
    expect(await ask('S', true)).toMatchObject({ cut: new Map(), program: null });
    expect(await ask('S', false)).toMatchObject([{ extensions: { code: 'INVALID_OPERATION' } }]);
  });

  it('of any size weighs at least what it holds, so that a flood of large ones is bounded', async () => {
    const dense = `{ ${'a { b } '.repeat(500)} }`;
    const padded = `{ b } #${'x'.repeat(250_000)}`;
    expect(weigh(dense, parse(dense))).toBeGreaterThan(2_000 * 200);
    expect(weigh(padded, null)).toBeGreaterThanOrEqual(500_000);
    const prepare = createPrepare(2_000_000);
    const ask = (query: string) =>
      prepare({ query, operationName: null, variables: {}, consumer }, rights, true);
    const first = await ask(padded);
    for (let at = 0; at < 20; at++) await ask(`${padded}${at}`);
    expect(await ask(padded)).not.toBe(first);
  });

  it('asks departments for data and another thread for the schema, each for its own part', async () => {
    const prepare = createPrepare(1_000_000);
    const run = createRun(supergraph);
    const query = `query ($type: String!, $n: Int) { ...Both } fragment Both on Query { b(n: $n) ...OfSchema }
      fragment OfSchema on Query { t: __type(name: $type) { name } }`;
    const prepared = await prepare({ query, operationName: null, variables: {}, consumer }, rights, true);
    if (!('hash' in prepared)) throw prepared[0] ?? new Error('it was refused');
    const result = await run(prepared, ofVariables({ type: 'Query', n: 1 }), by);
    expect(result?.data).toMatchObject({ jx__t: { name: 'Query' } });
    expect(asked).toHaveLength(1);
    expect(asked[0]).not.toContain('__type');
  });

  it('may not ask for the schema below the root, where the answer of a department would stand', async () => {
    const query = '{ a { __schema { queryType { name } } } }';
    const refused = await createPrepare(1_000_000)(
      { query, operationName: null, variables: {}, consumer },
      rights,
      true,
    );
    expect(refused).toMatchObject([{ extensions: { code: 'INVALID_OPERATION' } }]);
  });
});

describe('an operation that is known', () => {
  it('needs no planning thread any more, nor does the schema that was asked for before', async () => {
    const own = await load();
    const prepare = createPrepare(1_000_000, own);
    const run = createRun(own);
    const request = {
      query: '{ b __typename __schema { queryType { name } } }',
      operationName: null,
      variables: {},
      consumer,
    };
    const first = await prepare(request, rights, true);
    if (!('hash' in first)) throw first[0] ?? new Error('it was refused');
    const answer = await run(first, ofVariables({}), by);
    await own.close();
    const again = await prepare(request, rights, true);
    expect(again).toBe(first);
    expect(await run(first, ofVariables({}), by)).toEqual(answer);
    await expect(prepare({ ...request, query: '{ b b }' }, rights, true)).rejects.toMatchObject({
      extensions: { code: 'OVERLOADED' },
    });
  });
});

describe('what is wrong with an operation', () => {
  const refusals = async (query: string, mayIntrospect: boolean) => {
    const refused = await createPrepare(1_000_000)(
      { query, operationName: null, variables: {}, consumer },
      rights,
      mayIntrospect,
    );
    return 'hash' in refused ? [] : refused.map((error) => error.toJSON());
  };

  it('is told with its place to whoever may introspect', async () => {
    expect(await refusals('{ nope }', true)).toMatchObject([
      { message: expect.stringContaining('nope'), locations: [{ line: 1, column: 3 }] },
    ]);
  });

  it('is one constant text for everybody else, also beside a malformed code', async () => {
    const constant = await refusals('{ nope }', false);
    expect(JSON.stringify(constant)).not.toContain('nope');
    for (const query of [
      '{ b { x } }',
      '{ code(of: "x") nope }',
      'query ($v: Nope) { b }',
      '{ ...F } fragment F on Nope { b }',
    ])
      expect(await refusals(query, false)).toEqual(constant);
    expect(await refusals('{ code(of: "x") }', false)).toMatchObject([
      { extensions: { code: 'INVALID_CREDIT_CODE' } },
    ]);
  });
});
