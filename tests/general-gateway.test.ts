/** `npm run gateway -- --supergraph FILE` over plain subgraphs: a federation gateway like any other. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { request } from 'undici';
import type { TestGateway } from './kit/gateway.ts';
import { startGateway } from './kit/gateway.ts';
import type { PlainSubgraphs } from './kit/plain-subgraphs.ts';
import { startPlainSubgraphs } from './kit/plain-subgraphs.ts';

const USERS = [
  { id: '1', username: 'ada', email: 'ada@example.invalid' },
  { id: '2', username: 'bo', email: 'bo@example.invalid' },
];
const REVIEWS = [
  { id: 'r1', author: '1', body: 'good', stars: 5 },
  { id: 'r2', author: '1', body: 'bad', stars: 1 },
];

let subgraphs: PlainSubgraphs;
let gateway: TestGateway;

beforeAll(async () => {
  subgraphs = await startPlainSubgraphs({
    users: {
      sdl: `type Query { users: [User!]! user(id: ID!): User hello(name: String): String }
            type Mutation { rename(id: ID!, username: String!): User }
            type User @key(fields: "id") { id: ID! username: String! email: String }`,
      resolvers: {
        Query: {
          users: () => USERS,
          user: (_: unknown, { id }: { id: string }) => USERS.find((user) => user.id === id) ?? null,
          hello: (_: unknown, { name }: { name?: string }) => `hello ${name ?? 'world'}`,
        },
        Mutation: {
          rename: (_: unknown, { id, username }: { id: string; username: string }) => ({ id, username }),
        },
        User: {
          __resolveReference: ({ id }: { id: string }) => USERS.find((user) => user.id === id) ?? null,
        },
      },
    },
    reviews: {
      sdl: `interface Review { id: ID! body: String }
            type StarReview implements Review { id: ID! body: String stars: Int! }
            type User @key(fields: "id") { id: ID! reviews(first: Int): [Review!] email: String @external
              greeting: String @requires(fields: "email") }`,
      resolvers: {
        Review: { __resolveType: () => 'StarReview' },
        User: {
          reviews: ({ id }: { id: string }, { first }: { first?: number }) =>
            REVIEWS.filter(({ author }) => author === id).slice(0, first ?? 10),
          greeting: ({ email }: { email?: string | null }) => `mail ${email ?? 'nobody'}`,
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

async function ask(query: string, variables: object = {}, headers: Record<string, string> = {}) {
  subgraphs.calls.length = 0;
  const response = await request(gateway.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query, variables }),
  });
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  return { status: response.statusCode, ...((await response.body.json()) as { data?: any; errors?: any[] }) };
}

describe('a general gateway', () => {
  it('joins two subgraphs in one call each', async () => {
    const { data, errors } = await ask('{ users { username reviews { id body } } }');
    expect(errors).toBeUndefined();
    expect(data.users[0]).toEqual({
      username: 'ada',
      reviews: [
        { id: 'r1', body: 'good' },
        { id: 'r2', body: 'bad' },
      ],
    });
    expect(subgraphs.calls.map(({ subgraph }) => subgraph)).toEqual(['users', 'reviews']);
  });

  it('never lets an alias stand for a key or a required field', async () => {
    const { data } = await ask('{ users { id: username email: id greeting reviews { id } } }');
    expect(data.users[0]).toEqual({
      id: 'ada',
      email: '1',
      greeting: 'mail ada@example.invalid',
      reviews: [{ id: 'r1' }, { id: 'r2' }],
    });
  });

  it('takes hostile names for plain names', async () => {
    const { data } = await ask('{ users { __proto__: username constructor: id } }');
    expect(JSON.stringify(data.users[0])).toBe('{"__proto__":"ada","constructor":"1"}');
    expect(({} as Record<string, unknown>)['username']).toBeUndefined();
  });

  it('answers fragments, abstract types, arguments, variables and conditions', async () => {
    const { data, errors } = await ask(
      `query ($n: Int = 1, $with: Boolean!) {
         users { ...Names first: reviews(first: $n) { __typename ... on StarReview { stars kind: __typename } } email @include(if: $with) }
       } fragment Names on User { name: username }`,
      { with: false },
    );
    expect(errors).toBeUndefined();
    expect(data.users[0]).toEqual({
      name: 'ada',
      first: [{ __typename: 'StarReview', stars: 5, kind: 'StarReview' }],
    });
  });

  it('runs mutations', async () => {
    const { data } = await ask(
      'mutation { a: rename(id: "1", username: "eve") { username reviews { id } } }',
    );
    expect(data).toEqual({ a: { username: 'eve', reviews: [{ id: 'r1' }, { id: 'r2' }] } });
  });

  it('answers introspection, with and beside data', async () => {
    const { data } = await ask(
      '{ t: __typename users { __typename } me: __type(name: "User") { n: name } __schema { queryType { name } } }',
    );
    expect(data).toEqual({
      t: 'Query',
      users: [{ __typename: 'User' }, { __typename: 'User' }],
      me: { n: 'User' },
      __schema: { queryType: { name: 'Query' } },
    });
  });

  it('asks for each distinct entity once', async () => {
    await ask('{ a: user(id: "1") { reviews { id } } b: user(id: "1") { reviews { id } } }');
    const sent = subgraphs.calls
      .filter(({ subgraph }) => subgraph === 'reviews')
      .flatMap(({ variables }) => (variables as { representations: unknown[] }).representations);
    expect(new Set(sent.map((one) => JSON.stringify(one))).size).toBe(1);
  });

  it('turns a subgraph that is down into null and an error, and keeps the rest', async () => {
    subgraphs.down.add('reviews');
    const { data, errors } = await ask('{ users { username reviews { id } } }');
    subgraphs.down.clear();
    expect(data.users).toEqual([
      { username: 'ada', reviews: null },
      { username: 'bo', reviews: null },
    ]);
    expect(errors?.map(({ path, extensions }) => [path, extensions.code])).toEqual([
      [['users', 0, 'reviews'], 'DEPARTMENT_UNAVAILABLE'],
      [['users', 1, 'reviews'], 'DEPARTMENT_UNAVAILABLE'],
    ]);
  });

  it.each([
    ['{ nope }', 'INVALID_OPERATION'],
    ['{ users { ', 'INVALID_OPERATION'],
    [`{ ${'users { username } '.repeat(30)} }`, 'LIMIT_EXCEEDED'],
  ])('refuses %p and asks nobody', async (query, code) => {
    const { data, errors, status } = await ask(query, {}, { accept: 'application/graphql-response+json' });
    expect({ data, code: errors?.[0]?.extensions.code, status }).toEqual({
      data: undefined,
      code,
      status: 400,
    });
    expect(subgraphs.calls).toEqual([]);
  });

  it('refuses what is not a GraphQL request with its own status', async () => {
    const post = async (body: string, type: string) =>
      (await request(gateway.url, { method: 'POST', headers: { 'content-type': type }, body })).statusCode;
    expect(await post('{"query":', 'application/json')).toBe(400);
    expect(await post('{}', 'application/json')).toBe(400);
    expect(await post('query={users{id}}', 'application/x-www-form-urlencoded')).toBe(415);
    expect(await post('{}', 'application/json; charset=utf-32')).toBe(415);
    expect(await post(JSON.stringify({ query: 'x'.repeat(300_000) }), 'application/json')).toBe(413);
    expect(subgraphs.calls).toEqual([]);
  });
});
