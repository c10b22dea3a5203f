/** Names that JavaScript's objects have already, wherever a stranger or a department may write one (CVE-2026-32621). */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import Fastify from 'fastify';
import type { FastifyInstance } from 'fastify';
import { request } from 'undici';
import type { TestGateway } from './kit/gateway.ts';
import { startGateway } from './kit/gateway.ts';
import type { PlainSubgraphs } from './kit/plain-subgraphs.ts';
import { startPlainSubgraphs } from './kit/plain-subgraphs.ts';

const NAMES = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'];
const USERS = [
  { id: '1', username: 'ada' },
  { id: '2', username: 'bo' },
];
let subgraphs: PlainSubgraphs;
let gateway: TestGateway;
let ill: FastifyInstance;
/** What the ill subgraph answers. */
let hostile = '';

beforeAll(async () => {
  subgraphs = await startPlainSubgraphs({
    users: {
      sdl: `type Query { users: [User!]! hello(name: String): String }
            type User @key(fields: "id") { id: ID! username: String! }`,
      resolvers: {
        Query: {
          users: () => USERS,
          hello: (_: unknown, { name }: { name?: string }) => `hello ${name ?? 'world'}`,
        },
      },
    },
    reviews: {
      sdl: `type Review { body(length: Int): String }
            type User @key(fields: "id") { id: ID! reviews: [Review!] }`,
      resolvers: {
        User: {
          reviews: ({ id }: { id: string }) => [
            { body: ({ length }: { length?: number }) => `review of ${id}`.slice(0, length ?? 99) },
          ],
        },
      },
    },
    notes: {
      sdl: `scalar JSON
            type User @key(fields: "id") { id: ID! note: JSON rank: Int }`,
      resolvers: {},
    },
  });
  ill = Fastify();
  ill.post('/graphql', (_, reply) => reply.type('application/json').send(hostile));
  const address = await ill.listen({ host: '127.0.0.1', port: 0 });
  const atNotes = /(@join__graph\(name: "notes", url: ")[^"]+/;
  gateway = await startGateway({
    supergraph: subgraphs.supergraph.replace(atNotes, `$1${address}/graphql`),
  });
});
afterAll(async () => {
  await gateway.close();
  await ill.close();
  await subgraphs.close();
});

async function ask(body: string | object) {
  const response = await request(gateway.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const answer = await response.body.json();
  expectUntouched();
  return { status: response.statusCode, answer: answer as { data?: object; errors?: readonly unknown[] } };
}
function expectUntouched() {
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  expect([typeof {}.toString, typeof {}.hasOwnProperty, {}.constructor]).toEqual([
    'function',
    'function',
    Object,
  ]);
}
/** As entries, since `toEqual` looks at a prototype where an answer has a name. */
const entriesOf = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(entriesOf)
    : typeof value === 'object' && value !== null
      ? Object.entries(value).map(([name, inner]) => [name, entriesOf(inner)])
      : value;

describe('names of the prototype', () => {
  it('are aliases like any other, alone and together, at the top and within', async () => {
    for (const name of NAMES) {
      const { answer } = await ask({ query: `{ ${name}: hello(name: "x") }` });
      expect(entriesOf(answer.data)).toEqual([[name, 'hello x']]);
    }
    const all = NAMES.map((name) => `${name}: hello(name: "${name}")`).join(' ');
    expect(entriesOf((await ask({ query: `{ ${all} }` })).answer.data)).toEqual(
      NAMES.map((name) => [name, `hello ${name}`]),
    );
    const within =
      '{ __proto__: users { constructor: username __proto__: reviews { toString: body hasOwnProperty: body(length: 6) } } }';
    expect(entriesOf((await ask({ query: within })).answer.data)).toEqual([
      [
        '__proto__',
        USERS.map(({ id, username }) => [
          ['constructor', username],
          [
            '__proto__',
            [
              [
                ['toString', `review of ${id}`],
                ['hasOwnProperty', 'review'],
              ],
            ],
          ],
        ]),
      ],
    ]);
  });

  it('are variables like any other, but for the one that no library keeps, which is refused', async () => {
    for (const name of NAMES.slice(1)) {
      const query = `query ($${name}: String) { hello(name: $${name}) }`;
      expect((await ask({ query, variables: { [name]: 'x' } })).answer.data).toEqual({ hello: 'hello x' });
      const withDefault = `query ($${name}: String = "y") { hello(name: $${name}) }`;
      expect((await ask({ query: withDefault })).answer.data).toEqual({ hello: 'hello y' });
    }
    const proto = await ask(
      '{"query":"query ($__proto__: String) { hello(name: $__proto__) }","variables":{"__proto__":"x"}}',
    );
    expect(proto).toMatchObject({
      status: 400,
      answer: { errors: [{ extensions: { code: 'BAD_REQUEST' } }] },
    });
    expect(proto.answer.data).toBeUndefined();
  });

  it('are names of operations and fragments like any other', async () => {
    for (const name of NAMES) {
      const query = `query other { hello(name: "other") } query ${name} { ...${name} } fragment ${name} on Query { hello(name: "x") }`;
      expect((await ask({ query, operationName: name })).answer.data).toEqual({ hello: 'hello x' });
    }
    const missing = await ask({ query: 'query a { hello } query b { hello }', operationName: 'constructor' });
    expect([missing.answer.data, missing.answer.errors?.length]).toEqual([undefined, 1]);
  });

  it('are keys of a body that nobody reads', async () => {
    const body =
      '{"query":"{ hello }","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"extensions":{"__proto__":{"polluted":1}}}';
    expect((await ask(body)).answer.data).toEqual({ hello: 'hello world' });
  });

  it('are fields that no type has', async () => {
    for (const name of NAMES) {
      const { answer } = await ask({ query: `{ ${name} users { ${name} } }` });
      expect([answer.data, (answer.errors?.length ?? 0) > 0]).toEqual([undefined, true]);
    }
  });
});

describe('a subgraph that answers with them', () => {
  const query = '{ users { id username note rank } }';
  const answering = (entities: string, more = '') =>
    `{"data":{"_entities":${entities}${more}},"__proto__":{"polluted":1},"extensions":{"__proto__":{"polluted":1}}}`;

  it('gives what was asked of it, and changes nothing else', async () => {
    const own = '"__proto__":{"polluted":1,"rank":9},"constructor":{"prototype":{"polluted":1}}';
    hostile = answering(`[{"rank":1,${own}},{"rank":2,${own}}]`, ',"__proto__":{"polluted":1}');
    expect(entriesOf((await ask({ query })).answer.data)).toEqual([
      [
        'users',
        USERS.map((user, at) => [
          ['id', user.id],
          ['username', user.username],
          ['note', null],
          ['rank', at + 1],
        ]),
      ],
    ]);
  });

  it('gives a value of its own with them as it is', async () => {
    const note = '{"__proto__":{"polluted":1},"constructor":"x"}';
    hostile = answering(`[{"note":${note},"rank":1},{"note":${note},"rank":2}]`);
    const { answer } = await ask({ query });
    const notes = (answer.data as { users: readonly { note: unknown }[] }).users.map((user) => user.note);
    for (const one of notes)
      expect(entriesOf(one)).toEqual([
        ['__proto__', [['polluted', 1]]],
        ['constructor', 'x'],
      ]);
  });

  it('cannot put them into the path or the code of an error', async () => {
    hostile =
      '{"data":{"_entities":[null,null]},"errors":[{"message":"m","path":["_entities",0,"__proto__","polluted"],"extensions":{"__proto__":{"polluted":1},"code":"__proto__"}},{"message":"m","path":["__proto__"]}]}';
    const { status, answer } = await ask({ query });
    expect([status, (answer.data as { users: readonly unknown[] }).users.length]).toEqual([200, 2]);
  });
});
