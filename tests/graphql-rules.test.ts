/** The rules of GraphQL that a gateway can break between a client and its subgraphs. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { request } from 'undici';
import type { TestGateway } from './kit/gateway.ts';
import { startGateway } from './kit/gateway.ts';
import type { PlainSubgraphs } from './kit/plain-subgraphs.ts';
import { startPlainSubgraphs } from './kit/plain-subgraphs.ts';

const TOYS = [
  { id: '1', __typename: 'Ball', colour: 'RED', grid: [[1, 2], [], [3, null]], maker: { id: 'm1' } },
  { id: '2', __typename: 'Car', colour: 'BLUE', grid: null, maker: { id: 'gone' } },
];
const changed: string[] = [];

let subgraphs: PlainSubgraphs;
let gateway: TestGateway;

beforeAll(async () => {
  subgraphs = await startPlainSubgraphs({
    toys: {
      sdl: `scalar Json
            enum Colour { RED BLUE SECRET @inaccessible }
            input Filter { colours: [Colour!] = [RED, BLUE] deep: Filter most: Int }
            interface Toy { id: ID! maker: Maker }
            type Ball implements Toy @key(fields: "id") { id: ID! maker: Maker grid: [[Int]!] colour: Colour }
            type Car implements Toy @key(fields: "id") { id: ID! maker: Maker colour: Colour }
            union Thing = Ball | Car
            type Maker @key(fields: "id") { id: ID! }
            type Query { toys: [Toy!]! thing(id: ID!): Thing say(filter: Filter, json: Json, word: String, number: Int): String
              secret: Colour first: Maker constructor: String boom: String boomer: String! many: [Int!]! }
            type Mutation { change(to: String!): String fail: String! }`,
      resolvers: {
        Toy: { __resolveType: (toy: { __typename: string }) => toy.__typename },
        Thing: { __resolveType: (toy: { __typename: string }) => toy.__typename },
        Query: {
          toys: () => TOYS,
          thing: (_: unknown, { id }: { id: string }) => TOYS.find((toy) => toy.id === id),
          say: (_: unknown, args: unknown) => JSON.stringify(args),
          secret: () => 'SECRET',
          first: () => ({ id: 'gone' }),
          boom: () => Promise.reject(new Error('boom')),
          boomer: () => Promise.reject(new Error('boom')),
          many: () => Array.from({ length: 20_000 }, (_, at) => at),
        },
        Mutation: {
          async change(_: unknown, { to }: { to: string }) {
            await new Promise((resolve) => setImmediate(resolve));
            changed.push(to);
            return changed.join(' ');
          },
          fail: () => Promise.reject(new Error('no')),
        },
      },
    },
    makers: {
      sdl: `type Maker @key(fields: "id") { id: ID! name: String! town(of: String): String }`,
      resolvers: {
        Maker: {
          __resolveReference: ({ id }: { id: string }) =>
            id === 'gone' ? null : { id, name: `maker ${id}` },
          town: (_: unknown, { of }: { of?: string }) => `town of ${of ?? 'nobody'}`,
        },
      },
    },
  });
  gateway = await startGateway({ supergraph: subgraphs.supergraph });
});
afterAll(async () => {
  await gateway.close();
  await subgraphs.close();
});

interface Answer {
  readonly status: number;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly data?: any;
  readonly errors?: readonly { path?: unknown; message: string; extensions: Record<string, unknown> }[];
}

async function ask(query: string, variables: unknown = {}, operationName?: unknown): Promise<Answer> {
  return post(JSON.stringify({ query, variables, operationName }));
}
async function post(body: string): Promise<Answer> {
  const response = await request(gateway.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  return { status: response.statusCode, ...((await response.body.json()) as object) };
}
const codes = ({ errors = [] }: Answer) => errors.map(({ extensions }) => extensions['code']);

describe('a null', () => {
  it('that a type does not allow moves up to the next nullable place, and an error says so', async () => {
    const { data, errors } = await ask('{ first { id name } }');
    expect(data).toEqual({ first: null });
    expect(errors?.map(({ path }) => path)).toEqual([['first', 'name']]);
  });

  it('in one entry of a list costs that entry, and the error names the entry', async () => {
    const { data, errors } = await ask('{ toys { id maker { name } } }');
    expect(data).toEqual({
      toys: [
        { id: '1', maker: { name: 'maker m1' } },
        { id: '2', maker: null },
      ],
    });
    expect(errors?.map(({ path }) => path)).toEqual([['toys', 1, 'maker', 'name']]);
  });

  it('of a root field that must not be null is the whole data', async () => {
    const { data, errors, status } = await ask('{ boomer many }');
    expect({ data, status, paths: errors?.map(({ path }) => path) }).toEqual({
      data: null,
      status: 200,
      paths: [['boomer']],
    });
  });

  it('stands for a value that clients may not know, with an error', async () => {
    const { data, errors } = await ask('{ secret }');
    expect(data).toEqual({ secret: null });
    expect(errors).toHaveLength(1);
    expect(JSON.stringify(errors)).not.toContain('SECRET');
  });
});

describe('variables', () => {
  it('have defaults, and an explicit null is not one', async () => {
    const query = 'query ($word: String = "x", $number: Int) { say(word: $word, number: $number) }';
    expect((await ask(query)).data).toEqual({ say: '{"word":"x"}' });
    expect((await ask(query, { word: null })).data).toEqual({ say: '{"word":null}' });
    expect((await ask(query, { number: 3 })).data).toEqual({ say: '{"word":"x","number":3}' });
  });

  it('may bear any name, that of an internal one as well', async () => {
    const query = `query ($representations: String, $constructor: Int, $jx__representations: Json) {
      say(word: $representations, number: $constructor, json: $jx__representations) toys { maker { town(of: $representations) } } }`;
    const { data, errors } = await ask(query, {
      representations: 'w',
      constructor: 2,
      jx__representations: 'j',
    });
    expect(errors).toBeUndefined();
    expect(JSON.parse(data.say as string)).toEqual({ word: 'w', number: 2, json: 'j' });
    expect(data.toys[0]).toEqual({ maker: { town: 'town of w' } });
  });

  it('of input types are coerced: one value to a list, defaults inside, enums by name, free JSON as it is', async () => {
    const query = 'query ($filter: Filter, $json: Json) { say(filter: $filter, json: $json) }';
    const said = async (variables: unknown) =>
      JSON.parse((await ask(query, variables)).data.say as string) as unknown;
    expect(await said({ filter: { colours: 'RED', deep: {} } })).toEqual({
      filter: { colours: ['RED'], deep: { colours: ['RED', 'BLUE'] } },
    });
    expect(await said({ json: { a: [1, { b: null }] } })).toEqual({ json: { a: [1, { b: null }] } });
  });

  it.each([
    [{ filter: { colours: ['GREEN'] } }],
    [{ filter: { colours: ['SECRET'] } }],
    [{ filter: { most: '3' } }],
    [{ filter: { most: 2 ** 31 } }],
    [{ filter: { other: 1 } }],
    [{ filter: 'x' }],
  ])('%j is refused, and nobody is asked', async (variables) => {
    subgraphs.calls.length = 0;
    const answer = await ask('query ($filter: Filter) { say(filter: $filter) }', variables);
    expect([answer.data, codes(answer), subgraphs.calls]).toEqual([undefined, ['INVALID_OPERATION'], []]);
  });

  it('nested without end are refused by the limit, not by a failure', async () => {
    const deep = '['.repeat(60_000) + ']'.repeat(60_000);
    const answer = await post(
      `{"query":"query ($json: Json) { say(json: $json) }","variables":{"json":${deep}}}`,
    );
    expect(codes(answer)).toEqual(['LIMIT_EXCEEDED']);
  });
});

describe('conditions', () => {
  it('hold on fields and fragments, with defaults', async () => {
    const query = `query ($yes: Boolean = true, $no: Boolean! = false) {
      a: say(word: "a") @include(if: $yes) b: say(word: "b") @skip(if: $yes)
      ... @include(if: $no) { c: say(word: "c") } ...F @skip(if: $no)
      toys { id @skip(if: true) ... on Ball @include(if: $yes) { grid } }
    } fragment F on Query { d: say(word: "d") }`;
    const { data, errors } = await ask(query);
    expect(errors).toBeUndefined();
    expect(data).toEqual({
      a: '{"word":"a"}',
      d: '{"word":"d"}',
      toys: [{ grid: [[1, 2], [], [3, null]] }, {}],
    });
    expect(Object.keys((await ask(query, { yes: false, no: true })).data as object)).toEqual([
      'b',
      'c',
      'toys',
    ]);
  });

  it('differ between two places of one name', async () => {
    const query =
      'query ($a: Boolean!) { toys { id @include(if: $a) maker @skip(if: $a) { id } id: id @skip(if: $a) } }';
    expect((await ask(query, { a: false })).data.toys[0]).toEqual({ maker: { id: 'm1' }, id: '1' });
    expect((await ask(query, { a: true })).data.toys[0]).toEqual({ id: '1' });
  });
});

describe('a document', () => {
  const two = 'query A { a: __typename } query B { b: __typename }';
  it('of several operations runs the one that is named, and none when none is', async () => {
    expect((await ask(two, {}, 'B')).data).toEqual({ b: 'Query' });
    expect(codes(await ask(two))).toEqual(['INVALID_OPERATION']);
    expect(codes(await ask(two, {}, 'C'))).toEqual(['INVALID_OPERATION']);
    expect(codes(await ask('query A { __typename }', {}, 'B'))).toEqual(['INVALID_OPERATION']);
    expect(codes(await ask(two, {}, 5))).toEqual(['BAD_REQUEST']);
  });

  it('with unions and interfaces is answered by what each thing is', async () => {
    const { data, errors } = await ask(
      '{ thing(id: "2") { kind: __typename ... on Toy { id } ... on Car { paint: colour } ... on Ball { paint: colour grid } } }',
    );
    expect(errors).toBeUndefined();
    expect(data).toEqual({ thing: { kind: 'Car', id: '2', paint: 'BLUE' } });
  });

  it('of mutations changes in order, and goes on after one that fails only where it may be null', async () => {
    changed.length = 0;
    const { data } = await ask('mutation { b: change(to: "1") a: change(to: "2") b2: change(to: "3") }');
    expect(Object.entries(data as object)).toEqual([
      ['b', '1'],
      ['a', '1 2'],
      ['b2', '1 2 3'],
    ]);
    const failed = await ask('mutation { change(to: "4") fail }');
    expect([failed.data, failed.errors?.map(({ path }) => path)]).toEqual([null, [['fail']]]);
  });

  it('counts the root fields of its fragments too', async () => {
    const fields = Array.from({ length: 30 }, (_, at) => `a${at}: __typename`).join(' ');
    expect(codes(await ask(`{ ...F } fragment F on Query { ${fields} }`))).toEqual(['LIMIT_EXCEEDED']);
    expect(codes(await ask(`{ ... { ${fields} } }`))).toEqual(['LIMIT_EXCEEDED']);
  });
});

describe('hostile names', () => {
  it('of fields, aliases, variables and data are plain names', async () => {
    const query = `query ($__proto__: Int) { __proto__: say(number: $__proto__) constructor toString: constructor
      toys { __proto__: id hasOwnProperty: __typename } }`;
    const answer = await post(
      `{"query":${JSON.stringify(query)},"variables":{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}}`,
    );
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(JSON.stringify(answer)).not.toContain('native code');
    const said = await ask(
      '{ __proto__: say(json: {__proto__: {polluted: 1}}) constructor toys { __proto__: id } }',
    );
    expect(JSON.stringify(said.data)).toBe(
      '{"__proto__":"{\\"json\\":{\\"__proto__\\":{\\"polluted\\":1}}}","constructor":null,"toys":[{"__proto__":"1"},{"__proto__":"2"}]}',
    );
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('a large list', () => {
  it('arrives whole', async () => {
    const { data } = await ask('{ many }');
    expect([data.many.length, data.many[19_999]]).toEqual([20_000, 19_999]);
  });
});
