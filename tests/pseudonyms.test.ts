/** SubjectIds between a client and departments that do as they like: each side sees its own, wherever an id stands. */
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { request } from 'undici';
import { sandboxBytes } from '../schema/keys.ts';
import type { PersonaName } from '../schema/sandbox-tokens.ts';
import { issueSandboxToken } from '../schema/sandbox-tokens.ts';
import { createSubjectIds } from '../schema/subject-id.ts';
import type { TestGateway } from './kit/gateway.ts';
import { startGateway } from './kit/gateway.ts';
import type { PlainSubgraphs } from './kit/plain-subgraphs.ts';
import { startPlainSubgraphs } from './kit/plain-subgraphs.ts';

const NUMBER = '120101190001010016';
const ORGANISATION = 'O-91120101MA9TYN016Y';
const subjectIds = createSubjectIds(new Map([[1, sandboxBytes('subject', 64)]]));
const PLATFORM = subjectIds.ofPerson(NUMBER);
let subgraphs: PlainSubgraphs;
let gateway: TestGateway;

beforeAll(async () => {
  const person = { kind: 'Person', id: PLATFORM, friends: [PLATFORM, ORGANISATION, null] };
  subgraphs = await startPlainSubgraphs({
    a: {
      sdl: `scalar SubjectId
            interface Node { id: SubjectId! }
            type Person implements Node @key(fields: "id") { id: SubjectId! friends: [SubjectId] }
            type Company implements Node { id: SubjectId! odd: SubjectId }
            union Any = Person | Company
            input Deep { subject: SubjectId more: [Deep!] }
            type Query { person: Person nodes: [Node!] any: [Any!] number: SubjectId sealed: SubjectId sure: Company
              matrix: [[SubjectId!]!] echo(deep: Deep, ids: [SubjectId!]): [SubjectId!] }`,
      resolvers: {
        Node: { __resolveType: ({ kind }: { kind: string }) => kind },
        Any: { __resolveType: ({ kind }: { kind: string }) => kind },
        Person: { __resolveReference: ({ id }: { id: string }) => ({ ...person, id }) },
        Query: {
          person: () => person,
          nodes: () => [person, { kind: 'Company', id: ORGANISATION, odd: PLATFORM }],
          any: () => [person],
          number: () => NUMBER,
          sealed: () => subjectIds.sealIdentity({ name: '张样例', citizenId: NUMBER }),
          sure: () => ({ id: NUMBER }),
          matrix: () => [[PLATFORM], [ORGANISATION, PLATFORM]],
          echo: (_: unknown, { deep, ids }: { deep?: { subject: string }; ids?: string[] }) =>
            [deep?.subject, ...(ids ?? [])].filter((id) => id !== undefined),
        },
      },
    },
    b: {
      sdl: `scalar SubjectId type Person @key(fields: "id") { id: SubjectId! same: SubjectId }`,
      resolvers: { Person: { __resolveReference: ({ id }: { id: string }) => ({ id, same: id }) } },
    },
  });
  gateway = await startGateway({
    supergraph: subgraphs.supergraph,
    environment: { JINXIN_ISSUER: 'sandbox', JINXIN_SIGN: 'true' },
  });
}, 30_000);
afterAll(async () => {
  await gateway.close();
  await subgraphs.close();
});
beforeEach(() => {
  subgraphs.calls.length = 0;
});

interface Body {
  // What a test selects is for the test to know.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly data?: any;
  readonly errors?: readonly { readonly extensions: { readonly code: string } }[];
}

async function ask(as: PersonaName, query: string, variables: object = {}) {
  const response = await request(gateway.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${await issueSandboxToken(as, subjectIds)}`,
    },
    body: JSON.stringify({ query, variables }),
  });
  const text = await response.body.text();
  return { text, ...(JSON.parse(text) as Body) };
}

const EVERYWHERE = `{ person { id friends same x: id } nodes { id ... on Company { odd } }
  any { ... on Person { id ...F } } matrix } fragment F on Person { y: friends }`;

it('each consumer gets its own at every place, under every name, and the departments hear the platform’s', async () => {
  const a = await ask('bank-a', EVERYWHERE);
  const b = await ask('bank-b', EVERYWHERE);
  const id = a.data.person.id as string;
  expect(id).toBe(subjectIds.forConsumer('bank bank-a').toEdge(PLATFORM));
  const friends = [id, ORGANISATION, null];
  expect(a.data).toEqual({
    person: { id, friends, same: id, x: id },
    nodes: [{ id }, { id: ORGANISATION, odd: id }],
    any: [{ id, y: friends }],
    matrix: [[id], [ORGANISATION, id]],
  });
  expect(a.errors).toBeUndefined();
  expect(b.data.person.id).not.toBe(id);
  expect(b.text).not.toContain(id);
  for (const { text } of [a, b]) expect(text).not.toContain(PLATFORM);
  const representations = subgraphs.calls.filter(({ subgraph }) => subgraph === 'b');
  expect(JSON.stringify(representations)).toContain(PLATFORM);
  expect(JSON.stringify(subgraphs.calls)).not.toContain('"C1-');
});

it('what comes back is opened at every depth, for the one consumer, from one and the same plan', async () => {
  const query = 'query ($deep: Deep, $ids: [SubjectId!]) { echo(deep: $deep, ids: $ids) }';
  for (const as of ['bank-a', 'bank-b'] as const) {
    const id = (await ask(as, '{ person { id } }')).data.person.id as string;
    const deep = { subject: id, more: [{ subject: id, more: [{ subject: ORGANISATION }] }] };
    const { data } = await ask(as, query, { deep, ids: [id, ORGANISATION] });
    expect(data.echo).toEqual([id, id, ORGANISATION]);
    expect(subgraphs.calls.at(-1)?.variables).toEqual({
      deep: { subject: PLATFORM, more: [{ subject: PLATFORM, more: [{ subject: ORGANISATION }] }] },
      ids: [PLATFORM, ORGANISATION],
    });
    const other = as === 'bank-a' ? 'bank-b' : 'bank-a';
    subgraphs.calls.length = 0;
    for (const strange of [id, PLATFORM])
      expect((await ask(other, query, { deep: { more: [{ subject: strange }] } })).errors).toMatchObject([
        { extensions: { code: 'SUBJECT_NOT_FOUND' } },
      ]);
    expect(subgraphs.calls).toEqual([]);
  }
});

it('a literal id of a person is refused, an organisation’s is taken', async () => {
  const id = (await ask('bank-a', '{ person { id } }')).data.person.id as string;
  for (const one of [id, PLATFORM]) {
    const { data, errors } = await ask('bank-a', `{ echo(ids: ["${one}"]) }`);
    expect([data, errors?.map(({ extensions }) => extensions.code)]).toEqual([undefined, ['INVALID_INPUT']]);
  }
  expect((await ask('bank-a', `{ echo(ids: ["${ORGANISATION}"]) }`)).data.echo).toEqual([ORGANISATION]);
});

it('what a department puts in the place of an id is shown to nobody', async () => {
  const { data, errors, text } = await ask('bank-a', '{ number sealed sure { id } person { __typename } }');
  expect(data).toEqual({ number: null, sealed: null, sure: null, person: { __typename: 'Person' } });
  expect(errors).toHaveLength(3);
  expect(text).not.toContain(NUMBER);
});
