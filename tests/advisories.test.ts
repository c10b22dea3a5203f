/**
 * What has been found wrong with gateways like this one, and where it is shown that it is not wrong here. A row names tests
 * that stand elsewhere; what no other file shows is shown below.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { request } from 'undici';
import type { TestGateway } from './kit/gateway.ts';
import { startGateway } from './kit/gateway.ts';
import type { PlainSubgraphs } from './kit/plain-subgraphs.ts';
import { startPlainSubgraphs } from './kit/plain-subgraphs.ts';

const ROOT = join(import.meta.dirname, '..');

type Shown = readonly [file: string, name: string];
const HERE = 'tests/advisories.test.ts';
const ROWS: readonly (readonly [id: string, what: string, shown: readonly Shown[]])[] = [
  [
    'CVE-2026-32621 GHSA-pfjj-6f4p-rvmh',
    'prototype pollution by aliases, variables, bodies of subgraphs',
    [
      [
        'tests/prototype-names.test.ts',
        'are aliases like any other, alone and together, at the top and within',
      ],
      [
        'tests/prototype-names.test.ts',
        'are variables like any other, but for the one that no library keeps, which is refused',
      ],
      ['tests/prototype-names.test.ts', 'gives what was asked of it, and changes nothing else'],
      [
        'gateway/execution/transport.test.ts',
        'whose answer bears the names of the prototype changes nothing but itself',
      ],
      [
        'gateway/http/request.test.ts',
        'with the names of the prototype is what it says, and changes nothing else',
      ],
    ],
  ],
  [
    'CVE-2025-32030 CVE-2025-32031; CVE-2025-32032 CVE-2025-32033 CVE-2025-32034 CVE-2025-32380',
    'fragments that expand without end in the planner',
    [['tests/bad-input.test.ts', 'that is a bomb of fragments is refused before anything is planned']],
  ],
  [
    'CVE-2024-43414 GHSA-fmj9-77q8-g6c4',
    'recursion in parser and planner',
    [[HERE, 'is refused without a call, and the next one is answered: %s']],
  ],
  [
    'CVE-2025-64530 GHSA-mx7m-j9xf-62hw; GHSA-x33c-7c2v-mrj9 CVE-2025-64173',
    'access by way of an interface or a fragment on an implementation',
    [
      ['tests/disclosure.test.ts', 'is judged as the field of the object that it stands in'],
      [
        'tests/disclosure.test.ts',
        'that one of the implementations denies is told wherever it is cut, never silently null',
      ],
      [
        'gateway/authorization/explain.test.ts',
        'needs the rights of every implementation for a field of an interface',
      ],
    ],
  ],
  [
    'GHSA-m8jr-fxqx-8xx6 CVE-2025-64172',
    'a protected field read through @requires',
    [['schema/compose.test.ts', 'a derived field that would give away what it is derived from']],
  ],
  [
    'GHSA-g8jh-vg5j-4h3f CVE-2025-64347',
    'a security directive under another name, or one that is not understood',
    [
      ['gateway/supergraph/load.test.ts', 'rules under another name'],
      ['gateway/supergraph/load.test.ts', 'a security link that nobody here enforces'],
    ],
  ],
  [
    'CVE-2024-28101 GHSA-cgqf-3cq5-wvcj',
    'a compressed body that is larger than the limit, from a client or a department',
    [
      [
        'gateway/http/request.test.ts',
        'is counted as it unpacks: what is one byte over the limit is 413, what is at the limit is read',
      ],
      ['gateway/http/request.test.ts', 'that is a bomb is 413 before it has gone off'],
      ['gateway/execution/transport.test.ts', 'that is answered without end is cut at the cap'],
      ['gateway/execution/transport.test.ts', 'in a bomb'],
    ],
  ],
  [
    'GHSA-9q82-xgwf-vj6h GHSA-hff2-gcpx-8f4p',
    'questions by GET, or with a content type that needs no preflight (CSRF, XS-Search)',
    [
      ['gateway/http/request.test.ts', 'GET with the content type %p is 415, whatever it accepts'],
      ['gateway/http/request.test.ts', 'GET asks nothing'],
      ['gateway/http/request.test.ts', 'POST without a content type is no request of ours'],
    ],
  ],
  [
    'CVE-2026-23897 GHSA-mp6q-xf9x-fwf7',
    'bodies in exotic character sets',
    [
      ['gateway/http/server.test.ts', 'application/json; charset=utf-32'],
      ['gateway/http/server.test.ts', 'application/json; charset=iso-2022-kr'],
      ['gateway/http/request.test.ts', 'that is no UTF-8, or begins with a mark of order, is 400'],
    ],
  ],
  ['GHSA-8r69-3cvp-wxc3', 'batches', [['gateway/http/server.test.ts', 'a batch']]],
  [
    'CVE-2023-26144; CVE-2026-40476 GHSA-fc86-6rv6-2jpm; CVE-2026-34573; CVE-2026-30241',
    'validation that is quadratic, a counter of cost that itself explodes, limits that one transport lacks',
    [
      [HERE, 'is refused without a call, and the next one is answered: %s'],
      [HERE, 'speaks nothing but HTTP: there is no other transport that could lack a limit'],
    ],
  ],
  [
    'CVE-2026-22036; CVE-2026-2581',
    'chains of Content-Encoding, and answers without end that are kept for others',
    [
      ['gateway/execution/transport.test.ts', 'in a thousand codings'],
      ['gateway/execution/transport.test.ts', 'in a thousand headers of codings'],
      ['gateway/http/request.test.ts', 'a thousand codings'],
    ],
  ],
  [
    'CVE-2026-34950; CVE-2025-65945 GHSA-869p-cjfg-cm3x; auth0/node-jsonwebtoken#1032',
    'algorithms that a token chooses, critical extensions that nobody reads',
    [
      [
        'tests/privacy-tokens.test.ts',
        'that are forged are all refused, and valid ones are let in through rotations, a flood and an ill issuer',
      ],
      ['bench/privacy/tokens/forgeries.ts', 'crit of an unknown extension'],
      ['bench/privacy/tokens/forgeries.ts', 'keyed with our'],
    ],
  ],
  [
    'pitfall: subgraphs within reach',
    '_service and _entities by themselves, replayed, or meant for another',
    [
      ['subgraphs/serve.test.ts', 'answers %s to a request that the gateway signed, and to no other'],
      ['subgraphs/serve.test.ts', 'answers a signed request once'],
      [HERE, 'has no fields of a subgraph'],
    ],
  ],
  [
    'pitfall: many questions in one request',
    'aliases that each ask, and lists of subjects',
    [
      ['tests/graphql-rules.test.ts', 'counts the root fields of its fragments too'],
      [HERE, 'is refused without a call, and the next one is answered: %s'],
    ],
  ],
  [
    'pitfall: text of errors',
    'what a department wrote about somebody',
    [
      ['tests/disclosure.test.ts', 'leaves neither through an answer nor through the log'],
      ['tests/disclosure.test.ts', 'keeps of its extensions what the table of errors knows'],
      ['tests/bad-input.test.ts', 'is answered with one constant text to those who may not introspect'],
    ],
  ],
  [
    'pitfall: conditions and shapes of null',
    '@skip, @include, extensions.valueCompletion',
    [
      ['tests/disclosure.test.ts', 'that is left out by its condition is not told'],
      ['tests/access.test.ts', 'is not got by another name, fragment or condition'],
      [HERE, 'says nothing of how a value that the schema does not allow came to be null'],
    ],
  ],
  [
    'pitfall: persisted queries',
    'whoever sends a hash first decides what it means',
    [[HERE, 'learns no operation from a request']],
  ],
  [
    'pitfall: what is kept for one and given to another',
    'caches, coalescing, loaders',
    [
      ['tests/access.test.ts', 'does not leak to another through the cache'],
      [
        'gateway/execution/entity-cache.test.ts',
        'never gives one principal what is being fetched for another and may not be kept',
      ],
    ],
  ],
];

/** Below these the advisories above hold for the library itself. */
const FIXED: Readonly<Record<string, string>> = {
  '@apollo/gateway': '2.13.2',
  '@apollo/query-planner': '2.13.2',
  '@apollo/composition': '2.12.1',
  '@apollo/federation-internals': '2.13.2',
  graphql: '16.8.1',
  undici: '7.24.0',
  jose: '6.0.0',
};

describe('an advisory', () => {
  it.each(ROWS.flatMap(([id, what, shown]) => shown.map(([file, name]) => [id, what, file, name] as const)))(
    '%s (%s) is shown not to hold by %s: %s',
    (_id, _what, file, name) => {
      expect(existsSync(join(ROOT, file))).toBe(true);
      // In the file's own quotes, as the name of a test or of a case.
      const text = readFileSync(join(ROOT, file), 'utf8');
      const named = text
        .split('\n')
        .filter((line) => line.includes(name) && !line.trimStart().startsWith('//'));
      expect(named.length).toBeGreaterThan(
        file === HERE ? ROWS.flatMap(([, , shown]) => shown).filter(([, own]) => own === name).length : 0,
      );
    },
  );

  it.each(Object.entries(FIXED))('is mended in our %s, which is not below %s', (name, least) => {
    const { version } = JSON.parse(
      readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8'),
    ) as { version: string };
    expect(toNumber(version)).toBeGreaterThanOrEqual(toNumber(least));
  });
});

const toNumber = (version: string) =>
  version.split('.').reduce((sum, part) => sum * 10_000 + Number.parseInt(part, 10), 0);

describe('the gateway’s one endpoint', () => {
  let subgraphs: PlainSubgraphs;
  let gateway: TestGateway;

  beforeAll(async () => {
    subgraphs = await startPlainSubgraphs({
      a: {
        sdl: `type Query { node: Node hello(name: String): String wrong: Kind }
              enum Kind { KNOWN SECRET @inaccessible }
              type Node { name: String node: Node }`,
        resolvers: { Query: { hello: () => 'hello', wrong: () => 'SECRET', node: () => ({ name: 'n' }) } },
      },
    });
    gateway = await startGateway({ supergraph: subgraphs.supergraph });
  });
  afterAll(async () => {
    await gateway.close();
    await subgraphs.close();
  });

  async function ask(body: object) {
    subgraphs.calls.length = 0;
    const response = await request(gateway.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return (await response.body.json()) as {
      data?: unknown;
      errors?: readonly { extensions: { code: string } }[];
      extensions?: unknown;
    };
  }
  const codeOf = async (body: object) => (await ask(body)).errors?.[0]?.extensions.code;
  const nested = (depth: number) => `{ ${'node { '.repeat(depth)}name${' }'.repeat(depth)} }`;

  it.each([
    ['500 levels', nested(500)],
    ['3000 levels', nested(3_000)],
    ['a value of 20,000 levels', `{ hello(name: ${'['.repeat(20_000)}${']'.repeat(20_000)}) }`],
    ['one field 10,000 times', `{ ${'hello '.repeat(10_000)} }`],
    ['1000 aliases', `{ ${Array.from({ length: 1_000 }, (_, at) => `a${at}: hello`).join(' ')} }`],
    [
      '1000 aliases of __typename',
      `{ ${Array.from({ length: 1_000 }, (_, at) => `a${at}: __typename`).join(' ')} }`,
    ],
    ['200 fragments with 100 fields each', `{ ${`... on Query { ${'hello '.repeat(100)} } `.repeat(200)} }`],
    [
      '100 questions by alias',
      `{ ${Array.from({ length: 100 }, (_, at) => `a${at}: hello(name: "${at}")`).join(' ')} }`,
    ],
    ['fragments that double 30 times', doubling(30)],
    ['a fragment of itself', '{ node { ...F } } fragment F on Node { node { ...F } }'],
  ])('is refused without a call, and the next one is answered: %s', async (_, query) => {
    const answer = await ask({ query });
    expect([answer.data, subgraphs.calls]).toEqual([undefined, []]);
    expect(['LIMIT_EXCEEDED', 'INVALID_OPERATION']).toContain(answer.errors?.[0]?.extensions.code);
    expect((await ask({ query: '{ hello }' })).data).toEqual({ hello: 'hello' });
  });

  it('has no fields of a subgraph', async () => {
    for (const query of [
      '{ _service { sdl } }',
      'query ($of: [_Any!]!) { _entities(representations: $of) { __typename } }',
      '{ x: _service { sdl } hello }',
    ])
      expect([await codeOf({ query, variables: { of: [] } }), subgraphs.calls]).toEqual([
        'INVALID_OPERATION',
        [],
      ]);
  });

  it('learns no operation from a request', async () => {
    const query = '{ hello }';
    // As clients of automatic persisted queries send it.
    const sha256Hash = createHash('sha256').update(query).digest('hex');
    const extensions = { persistedQuery: { version: 1, sha256Hash } };
    for (const body of [{ extensions }, { extensions, query: '' }]) {
      await ask({ query, extensions });
      const answer = await ask(body);
      expect([answer.data, answer.errors?.length, subgraphs.calls]).toEqual([undefined, 1, []]);
    }
  });

  it('says nothing of how a value that the schema does not allow came to be null', async () => {
    const answer = await ask({ query: '{ wrong hello }' });
    expect([answer.data, answer.extensions]).toEqual([{ wrong: null, hello: 'hello' }, undefined]);
    expect(JSON.stringify(answer)).not.toMatch(/SECRET|valueCompletion/);
  });

  it('speaks nothing but HTTP: there is no other transport that could lack a limit', async () => {
    const { port } = new URL(gateway.url);
    const text = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), '127.0.0.1');
      let heard = '';
      socket.on('data', (chunk: Buffer) => (heard += chunk.toString()));
      socket.on('close', () => resolve(heard));
      socket.on('error', reject);
      const lines = [
        'GET /graphql HTTP/1.1',
        'host: x',
        'upgrade: websocket',
        'sec-websocket-protocol: graphql-transport-ws',
        'sec-websocket-version: 13',
        'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==',
      ];
      socket.write([...lines, 'connection: upgrade, close', '', ''].join('\r\n'));
    });
    expect(text).toMatch(/^HTTP\/1.1 405 /);
  });
});

function doubling(levels: number): string {
  const fragments = Array.from(
    { length: levels },
    (_, at) => `fragment F${at} on Node { a: node { ...F${at + 1} } b: node { ...F${at + 1} } }`,
  );
  return `{ node { ...F0 } } ${fragments.join(' ')} fragment F${levels} on Node { name }`;
}
