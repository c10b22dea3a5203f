/**
 * What others ask of a GraphQL server, at the front door of a plain gateway: the working group's audits (graphql-http), and
 * of Apollo's integration suite what asks something of HTTP (why not the suite itself: decision 0017).
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { serverAudits } from 'graphql-http';
import { createHash } from 'node:crypto';
import { getIntrospectionQuery, parse } from 'graphql';
import { request } from 'undici';
import type { TestGateway } from './kit/gateway.ts';
import { startGateway } from './kit/gateway.ts';
import type { PlainSubgraphs } from './kit/plain-subgraphs.ts';
import { startPlainSubgraphs } from './kit/plain-subgraphs.ts';

/** What a server MAY do and we do not (decision 0017): operations by GET. */
const NOT_DONE = ['5A70', 'D6D5', '6A70'];

let subgraphs: PlainSubgraphs;
let gateway: TestGateway;

beforeAll(async () => {
  subgraphs = await startPlainSubgraphs({
    greetings: {
      sdl: 'type Query { hello(to: String): String } type Mutation { greet: String }',
      resolvers: {
        Query: { hello: (_: unknown, { to }: { to?: string }) => `hello ${to ?? 'world'}` },
        Mutation: { greet: () => 'greeted' },
      },
    },
  });
  gateway = await startGateway({ supergraph: subgraphs.supergraph });
});
afterAll(async () => {
  await gateway.close();
  await subgraphs.close();
});

/** Read to its end: what nobody reads would hold the connection, and the gateway's end, up. */
async function fetchWhole(...asked: Parameters<typeof fetch>): Promise<Response> {
  const { status, headers, body } = await fetch(...asked);
  const bytes = body === null ? null : await new Response(body).arrayBuffer();
  return new Response(bytes, { status, headers });
}

describe('a GraphQL server over HTTP', () => {
  const audits = serverAudits({ url: () => gateway.url, fetchFn: fetchWhole });

  it.each(audits.filter(({ id }) => !NOT_DONE.includes(id)))('$name ($id)', async ({ fn }) => {
    expect(await fn()).toMatchObject({ status: 'ok' });
  });

  it('is asked by POST alone, which the audits leave open and note', async () => {
    const left = audits.filter(({ id }) => NOT_DONE.includes(id));
    const results = await Promise.all(left.map(({ fn }) => fn()));
    expect(results.map(({ id, status }) => [id, status])).toEqual(NOT_DONE.map((id) => [id, 'notice']));
    expect(left.every(({ name }) => name.startsWith('MAY '))).toBe(true);
    expect(subgraphs.calls).toEqual([]);
  });
});

const GRAPHQL = 'application/graphql-response+json';
const HELLO = '{ hello }';
const HASH = createHash('sha256').update(HELLO).digest('hex');

async function post(body: unknown, headers: Record<string, string> = {}) {
  subgraphs.calls.length = 0;
  const response = await request(gateway.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: GRAPHQL, ...headers },
    body: JSON.stringify(body),
  });
  const text = await response.body.text();
  return { status: response.statusCode, headers: response.headers, text, body: JSON.parse(text) };
}
const refusal = (code: string) => ({ errors: [{ extensions: { code } }] });

describe('what Apollo asks of a server over HTTP', () => {
  it.each<[string, object, number, object]>([
    ['a query', { query: HELLO }, 200, { data: { hello: 'hello world' } }],
    [
      'a query with variables',
      { query: 'query ($to: String) { hello(to: $to) }', variables: { to: 'ada' } },
      200,
      { data: { hello: 'hello ada' } },
    ],
    [
      'one operation of two, by its name',
      { query: 'query A { hello } query B { b: hello }', operationName: 'B' },
      200,
      { data: { b: 'hello world' } },
    ],
    ['a mutation', { query: 'mutation { greet }' }, 200, { data: { greet: 'greeted' } }],
    [
      'a name of no operation',
      { query: 'query A { hello }', operationName: 'B' },
      400,
      refusal('INVALID_OPERATION'),
    ],
    [
      'two operations and no name',
      { query: 'query A { hello } query B { hello }' },
      400,
      refusal('INVALID_OPERATION'),
    ],
    ['a syntax tree', { query: parse(HELLO) }, 400, refusal('BAD_REQUEST')],
    ['a batch of two', [{ query: HELLO }, { query: HELLO }], 400, refusal('BAD_REQUEST')],
    ['a batch of one', [{ query: HELLO }], 400, refusal('BAD_REQUEST')],
    ['a batch of none', [], 400, refusal('BAD_REQUEST')],
    ['variables as text', { query: HELLO, variables: '{}' }, 400, refusal('BAD_REQUEST')],
    ['extensions as text', { query: HELLO, extensions: '{}' }, 400, refusal('BAD_REQUEST')],
  ])('%s is answered as it should be', async (_, asked, status, expected) => {
    const { status: answered, body, headers, text } = await post(asked);
    expect([answered, body]).toMatchObject([status, expected]);
    expect(headers['content-length']).toBe(String(Buffer.byteLength(text)));
    if (status !== 200) expect([body.data, subgraphs.calls]).toEqual([undefined, []]);
  });

  it('an introspection, as tools send it, is answered without asking anybody', async () => {
    const { body } = await post({ query: getIntrospectionQuery({ descriptions: true }) });
    expect(body.data.__schema.queryType).toMatchObject({ name: 'Query' });
    expect(subgraphs.calls).toEqual([]);
  });

  it('a persisted query is registered by nobody who only sends it', async () => {
    const byHash = { extensions: { persistedQuery: { version: 1, sha256Hash: HASH } } };
    expect(await post(byHash)).toMatchObject({ status: 403, body: refusal('OPERATION_NOT_REGISTERED') });
    expect(await post({ ...byHash, query: HELLO })).toMatchObject({ status: 200 });
    expect(await post(byHash)).toMatchObject({ status: 403 });
    expect(await post({ ...byHash, query: '{ other: hello }' })).toMatchObject({
      status: 400,
      body: refusal('BAD_REQUEST'),
    });
  });

  it.each(['POST', 'GET'] as const)(
    '%s without a preflight asks nothing, whatever it claims (CSRF)',
    async (method) => {
      subgraphs.calls.length = 0;
      for (const type of [
        'text/plain',
        'application/x-www-form-urlencoded',
        'multipart/form-data; boundary=x',
      ])
        for (const header of [{}, { 'apollo-require-preflight': 'true' }]) {
          const url = method === 'GET' ? `${gateway.url}?query=${encodeURIComponent(HELLO)}` : gateway.url;
          const { statusCode, body } = await request(url, {
            method,
            headers: { 'content-type': type, ...header },
            ...(method === 'GET' ? {} : { body: JSON.stringify({ query: HELLO }) }),
          });
          await body.dump();
          expect(statusCode).toBe(415);
        }
      expect(subgraphs.calls).toEqual([]);
    },
  );
});
