/** A gateway before a department that forgets when publication ends and what is disputed: what of it leaves, and how. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { request } from 'undici';
import { isReceiptOf } from '../gateway/evidence/receipt.ts';
import { dayInChina } from '../schema/china-time.ts';
import { sandboxBytes } from '../schema/keys.ts';
import { loadLaw } from '../schema/law.ts';
import type { PersonaName } from '../schema/sandbox-tokens.ts';
import { issueSandboxToken } from '../schema/sandbox-tokens.ts';
import { loadReceiptVerifier } from '../schema/signatures/keys.ts';
import { createSubjectIds } from '../schema/subject-id.ts';
import { readReceiptFile } from '../scripts/receipt-file.ts';
import type { TestGateway } from './kit/gateway.ts';
import { startGateway } from './kit/gateway.ts';
import type { PlainSubgraphs } from './kit/plain-subgraphs.ts';
import { startPlainSubgraphs } from './kit/plain-subgraphs.ts';
import type { TestDatabases } from './kit/postgres.ts';
import { createTestDatabases } from './kit/postgres.ts';

const DAY = 86_400_000;
const day = (from: number) => dayInChina(Date.now() + from * DAY);
const listing = (documentNumber: string, publishedUntil: string | null, underObjection = false) => ({
  documentNumber,
  publishedUntil,
  underObjection,
  note: documentNumber,
});
/** The owner of this company is the sandbox's `company-owner`. */
const OWN = 'O-91120101MA9TYN016Y';
const OTHER = 'O-91120116MA9TYN024H';

const CATALOGUE = {
  law: loadLaw(),
  catalogues: [
    {
      version: '1',
      items: [
        ['a.list', 'PUBLIC', []],
        ['a.note', 'NOT_PUBLIC', [{ principals: ['bank', 'auditor'] }]],
      ].map(([id, publicity, use]) => ({
        id,
        name: { zh: id, en: id },
        category: 'adverse-list',
        publicity,
        sharing: 'CONDITIONAL',
        use,
        basis: ['test'],
        sensitivity: 'L1',
        retention: 60,
      })),
    },
  ],
};

let subgraphs: PlainSubgraphs;
let gateway: TestGateway;
let databases: TestDatabases;
beforeAll(async () => {
  subgraphs = await startPlainSubgraphs({
    a: {
      sdl: `interface AdverseRecord { documentNumber: String publishedUntil: String underObjection: Boolean }
        type Listing implements AdverseRecord {
          documentNumber: String @policy(policies: [["a.list"]]) publishedUntil: String @policy(policies: [["a.list"]])
          underObjection: Boolean @policy(policies: [["a.list"]]) note: String @policy(policies: [["a.note"]]) }
        type Subject @key(fields: "id") { id: ID! listings: [Listing!] latest: Listing }`,
      resolvers: {
        Subject: {
          __resolveReference: ({ id }: { id: string }) => ({
            id,
            listings: [
              listing('over', day(-1)),
              listing('last day', day(0)),
              listing('disputed', day(9), true),
              listing('over, disputed', day(-9), true),
              listing('without end', null),
            ],
            latest: listing('over', day(-1)),
          }),
        },
      },
    },
    b: {
      sdl: 'type Subject @key(fields: "id") { id: ID! } type Query { subject(id: ID!): Subject }',
      resolvers: { Query: { subject: (_: unknown, { id }: { id: string }) => ({ id }) } },
    },
  });
  databases = createTestDatabases();
  gateway = await startGateway({
    supergraph: subgraphs.supergraph,
    catalogue: CATALOGUE,
    environment: {
      JINXIN_PLATFORM_URL: await databases.url('platform'),
      JINXIN_ISSUER: 'sandbox',
      JINXIN_SIGN: 'true',
    },
  });
}, 30_000);
afterAll(async () => {
  await gateway.close();
  await subgraphs.close();
  await databases.close();
});

const subjectIds = createSubjectIds(new Map([[1, sandboxBytes('subject', 64)]]));
async function ask(selection: string, as?: PersonaName, id = OWN) {
  const response = await request(gateway.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(as ? { authorization: `Bearer ${await issueSandboxToken(as, subjectIds)}` } : {}),
    },
    body: JSON.stringify({
      query: `query ($id: ID!) { subject(id: $id) { ${selection} } }`,
      variables: { id },
    }),
  });
  const text = await response.body.text();
  return {
    text,
    // What a test selects is for the test to know.
    // eslint-disable-next-line @typescript-eslint/no-explicit-any
    ...(JSON.parse(text) as { data: any; errors?: unknown; extensions?: Record<string, unknown> }),
  };
}
const SHOWN = ['last day', 'disputed', 'without end'];
const ALL = ['over', 'last day', 'disputed', 'over, disputed', 'without end'];
const numbersIn = ({ data }: Awaited<ReturnType<typeof ask>>) =>
  (data.subject.listings as { documentNumber: string }[]).map(({ documentNumber }) => documentNumber);

describe('a record past its publication', () => {
  it.each<[string, PersonaName | undefined, string, readonly string[]]>([
    ['the public', undefined, OWN, SHOWN],
    ['a bank', 'bank-a', OWN, SHOWN],
    ['another subject', 'company-owner', OTHER, SHOWN],
    ['the subject itself', 'company-owner', OWN, ALL],
    ['an auditor', 'auditor', OWN, ALL],
  ])('is shown to %s as the law says', async (_, as, id, expected) => {
    const answer = await ask('listings { documentNumber }', as, id);
    expect([numbersIn(answer), answer.errors]).toEqual([expected, undefined]);
  });

  it('leaves no trace: neither where it stood alone, nor in a mark', async () => {
    const answer = await ask('latest { documentNumber } listings { documentNumber }');
    expect(answer.data.subject.latest).toBeNull();
    expect(answer.text).not.toContain('over');
    expect(answer.extensions).toEqual({ underObjection: ['subject.listings.1'] });
  });
});

describe('a disputed record', () => {
  it('carries its mark, whether that was asked for or not, and under whatever name', async () => {
    const bare = await ask('all: listings { nr: documentNumber }');
    const asked = await ask(
      'all: listings { nr: documentNumber underObjection publishedUntil: documentNumber }',
    );
    for (const { extensions } of [bare, asked])
      expect(extensions).toEqual({ underObjection: ['subject.all.1'] });
    expect(asked.data.subject.all[1]).toEqual({
      nr: 'disputed',
      underObjection: true,
      publishedUntil: 'disputed',
    });
  });

  it('is signed together with its mark: a receipt does not verify without it', async () => {
    const { text } = await ask('listings { documentNumber note }', 'bank-a');
    const file = join(gateway.folder, 'answer.json');
    await writeFile(file, text);
    const kept = readReceiptFile(file);
    if (!kept) throw new Error('there is no receipt');
    const suite = loadReceiptVerifier('SM2-SM3', undefined);
    const { extensions: _, ...unmarked } = kept.body as { extensions: unknown };
    expect([isReceiptOf(suite, kept.receipt, kept.body), isReceiptOf(suite, kept.receipt, unmarked)]).toEqual(
      [true, false],
    );
  });
});
