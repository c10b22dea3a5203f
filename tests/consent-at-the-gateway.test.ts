/** A gateway over a register of consents that answers as it is told: what leaves, what is asked, what is recorded. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { GraphQLError } from 'graphql';
import pg from 'pg';
import { request } from 'undici';
import { citizenIdCheckDigit } from '../schema/identifiers/citizen-id.ts';
import { sandboxBytes } from '../schema/keys.ts';
import type { PersonaName } from '../schema/sandbox-tokens.ts';
import { issueSandboxToken, SAMPLE_CITIZEN_ID, SAMPLE_MINOR_ID } from '../schema/sandbox-tokens.ts';
import { createSubjectIds } from '../schema/subject-id.ts';
import type { TestGateway } from './kit/gateway.ts';
import { startGateway } from './kit/gateway.ts';
import { CATALOGUE, consent, nothingTold, startConsentRegister } from './kit/consent-register.ts';
import type { PlainSubgraphs } from './kit/plain-subgraphs.ts';
import type { TestDatabases } from './kit/postgres.ts';
import { createTestDatabases } from './kit/postgres.ts';

const subjectIds = createSubjectIds(new Map([[1, sandboxBytes('subject', 64)]]));
const COMPANY = subjectIds.ofOrganisation('91120101MA9TYN016Y');
const OTHER = subjectIds.ofOrganisation('91120116MA9TYN024H');
const PERSON = subjectIds.ofPerson(SAMPLE_CITIZEN_ID);
/** Another synthetic person, born in 1900. */
const LATE = `12010119000101002${citizenIdCheckDigit('12010119000101002')}`;
const MINOR = subjectIds.ofPerson(SAMPLE_MINOR_ID);

const told = nothingTold();
let subgraphs: PlainSubgraphs;
let databases: TestDatabases;
let database: pg.Client;
let gateway: TestGateway;

beforeAll(async () => {
  subgraphs = await startConsentRegister(told);
  databases = createTestDatabases();
  const url = await databases.url('platform');
  database = new pg.Client({ connectionString: url });
  await database.connect();
  gateway = await startGateway({
    supergraph: subgraphs.supergraph,
    catalogue: CATALOGUE,
    environment: { JINXIN_PLATFORM_URL: url, JINXIN_ISSUER: 'sandbox', JINXIN_SIGN: 'true' },
  });
}, 30_000);
afterAll(async () => {
  await gateway.close();
  await subgraphs.close();
  await database.end();
  await databases.close();
});
beforeEach(() => {
  Object.assign(told, nothingTold());
  subgraphs.calls.length = 0;
  subgraphs.down.clear();
});

async function ask(
  selection: string,
  ids: readonly string[],
  options: { as?: PersonaName; headers?: Readonly<Record<string, string>> } = {},
) {
  const token = await issueSandboxToken(options.as ?? 'bank-a', subjectIds);
  const response = await request(gateway.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...options.headers },
    body: JSON.stringify({
      query: `query ($ids: [ID!]!) { subjects(ids: $ids) { ${selection} } }`,
      variables: { ids },
    }),
  });
  const {
    data,
    errors = [],
    extensions,
  } = (await response.body.json()) as {
    data?: { subjects: Record<string, unknown>[] } | null;
    errors?: { path?: unknown[]; extensions: Record<string, unknown> }[];
    extensions?: Record<string, unknown>;
  };
  return {
    status: response.statusCode,
    subjects: data?.subjects ?? null,
    codes: errors.map(({ path, extensions: { code } }) => [path?.join('.'), code]),
    told: errors.map((error) => error.extensions),
    extensions,
  };
}
/** What was confirmed, by request; a slow answer is confirmed again under the same name, which counts nothing more. */
const uses = () => [
  ...new Map(
    told.confirmed.map(({ request: name, consumer, ids }) => [name, [consumer, ...ids].join(' ')]),
  ).values(),
];
const askedFor = (field: string) =>
  subgraphs.calls.filter(({ subgraph, query }) => subgraph === 'a' && query.includes(field)).length;
const newest = async (count = 1) => {
  const { rows } = await database.query<{ record: string }>(
    'SELECT record FROM evidence.audit_log ORDER BY seq DESC LIMIT $1',
    [count],
  );
  return rows.map(({ record }) => JSON.parse(record) as Record<string, unknown>);
};

describe('a consent', () => {
  it('opens what it names of the subject that gave it; the others are not asked about', async () => {
    told.consents = [consent('c1', COMPANY)];
    const answer = await ask('name grade income', [COMPANY, OTHER]);
    expect(answer.subjects).toEqual([
      { name: 'n', grade: 'A', income: null },
      { name: 'n', grade: null, income: null },
    ]);
    expect(answer.codes.sort()).toEqual([
      ['subjects.0.income', 'CONSENT_REQUIRED'],
      ['subjects.1.grade', 'CONSENT_REQUIRED'],
      ['subjects.1.income', 'CONSENT_REQUIRED'],
    ]);
    expect(askedFor('income')).toBe(0);
    expect(uses()).toEqual(['bank-a c1']);
    const [record] = await newest();
    expect(record).toMatchObject({
      result: 'DISCLOSED',
      consents: ['c1'],
      items: ['a.grade'],
      decisions: [expect.stringMatching(/^[\w-]{16}$/)],
    });
  });

  it('is confirmed once for an answer, and not at all where nothing rests on it', async () => {
    told.consents = [consent('c1', COMPANY), consent('c2', OTHER)];
    await ask('name', [COMPANY]);
    expect(told.confirmed).toEqual([]);
    await ask('grade', [COMPANY, OTHER, COMPANY]);
    expect(uses()).toEqual(['bank-a c1 c2']);
  });

  it('that is revoked while the answer is made opens nothing, and the record is corrected', async () => {
    told.consents = [consent('c1', COMPANY), consent('c2', OTHER)];
    told.onConfirm = ({ ids }) => {
      told.consents = told.consents.filter(({ id }) => id !== 'c1');
      return {
        held: ids.filter((id) => id !== 'c1'),
        refused: ids.includes('c1') ? [{ id: 'c1', reason: 'REVOKED' }] : [],
      };
    };
    const answer = await ask('grade', [COMPANY, OTHER]);
    expect(answer.subjects).toEqual([{ grade: null }, { grade: 'A' }]);
    expect(answer.codes).toEqual([['subjects.0.grade', 'CONSENT_REQUIRED']]);
    const [after, before] = await newest(2);
    expect(after).toMatchObject({ consents: ['c2'], supersedes: before?.['id'] });
    expect(before).toMatchObject({ consents: ['c1', 'c2'] });
  });

  it('opens nothing while the register lists it and does not confirm it', async () => {
    told.consents = [consent('c1', COMPANY)];
    told.onConfirm = ({ ids }) => ({ held: [], refused: ids.map((id) => ({ id, reason: 'FREQUENCY' })) });
    const answer = await ask('name grade', [COMPANY]);
    expect([answer.subjects, answer.codes]).toEqual([
      [{ name: 'n', grade: null }],
      [['subjects.0.grade', 'CONSENT_REQUIRED']],
    ]);
  });

  it('that is revoked again and again ends the request, and the record says that nothing left', async () => {
    let next = 1;
    told.consents = [consent('c0', COMPANY)];
    told.onConfirm = ({ ids }) => {
      told.consents = [consent(`c${next++}`, COMPANY)];
      return { held: [], refused: ids.map((id) => ({ id, reason: 'REVOKED' })) };
    };
    const answer = await ask('grade', [COMPANY]);
    expect([answer.status, answer.subjects]).toEqual([503, null]);
    expect((await newest(4)).map(({ result }) => result)).toEqual([
      'WITHHELD',
      'DISCLOSED',
      'DISCLOSED',
      'DISCLOSED',
    ]);
  });

  it('that the register says nothing of does not hold', async () => {
    told.consents = [consent('c1', COMPANY)];
    told.onConfirm = () => ({ held: [], refused: [] });
    expect((await ask('grade', [COMPANY])).subjects).toEqual([{ grade: null }]);
  });

  it('opens nothing while nobody can confirm it, and the answer says that it is not known', async () => {
    told.consents = [consent('c1', COMPANY)];
    told.onConfirm = () => {
      throw new GraphQLError('the register is gone', { extensions: { code: 'DEPARTMENT_UNAVAILABLE' } });
    };
    const answer = await ask('name grade', [COMPANY]);
    expect([answer.subjects, answer.codes]).toEqual([
      [{ name: 'n', grade: null }],
      [['subjects.0.grade', 'DEPARTMENT_UNAVAILABLE']],
    ]);
    expect(answer.told[0]).toMatchObject({ reason: 'NOT_KNOWN' });
  });

  it('of a one-time key that was used for another question ends the request', async () => {
    told.consents = [consent('c1', COMPANY)];
    told.onConfirm = () => {
      throw new GraphQLError('conflict', { extensions: { code: 'IDEMPOTENCY_CONFLICT' } });
    };
    const answer = await ask('grade', [COMPANY]);
    expect([answer.status, answer.subjects, answer.codes]).toEqual([
      409,
      null,
      [[undefined, 'IDEMPOTENCY_CONFLICT']],
    ]);
    const [last, before] = await newest(2);
    expect([last, before]).toMatchObject([
      { result: 'WITHHELD', supersedes: before?.['id'], answerHash: null },
      { result: 'DISCLOSED' },
    ]);
  });

  it('is counted under the key that the client gives, and the same question has the same digest', async () => {
    told.consents = [consent('c1', COMPANY)];
    const headers = { 'idempotency-key': 'check-1' };
    await ask('grade', [COMPANY], { headers });
    await ask('grade', [COMPANY], { headers });
    await ask('grade name', [COMPANY], { headers });
    expect(new Set(told.confirmed.map(({ request: name }) => name))).toEqual(new Set(['check-1']));
    expect(new Set(told.confirmed.map(({ digest }) => digest)).size).toBe(2);
  });

  it('in general opens nothing that the law ties to a written one', async () => {
    told.consents = [consent('c1', COMPANY, { items: ['a.grade', 'a.income'] })];
    const without = await ask('income', [COMPANY]);
    told.consents = [consent('c1', COMPANY, { items: ['a.income'], writtenItems: ['a.income'] })];
    const written = await ask('income', [COMPANY]);
    expect([without.subjects, written.subjects]).toEqual([[{ income: null }], [{ income: '1' }]]);
  });
});

describe('the subject’s state', () => {
  it.each([
    ['a minor who consented alone', MINOR, 'SELF', 'GUARDIAN_REQUIRED', null],
    ['a minor whose guardian did', MINOR, 'GUARDIAN', null, 'A'],
    ['a grown person', PERSON, 'SELF', null, 'A'],
  ])('%s', async (_, subject, givenBy, reason, grade) => {
    told.consents = [consent('c1', subject, { givenBy })];
    const answer = await ask('grade', [subject]);
    expect(answer.subjects).toEqual([{ grade }]);
    // What is told is that a consent is missing; why it does not count stands in the record.
    expect(answer.told.map(({ reason: told }) => told)).toEqual(reason === null ? [] : ['CONSENT_REQUIRED']);
    const [record] = await newest();
    expect((record?.['denials'] as { reason: string }[]).map((one) => one.reason)).toEqual(
      reason === null ? [] : [reason],
    );
  });

  it.each([
    ['DECEASED', 'is that of nobody’s consent', true],
    // What an agent did for a company; the register of companies is public.
    ['DEREGISTERED', 'says so', false],
  ])('%s ends consents; the answer %s', async (state, _, isLikeNoConsent) => {
    // Of its own, because a state that was read is kept for a while.
    const subject = isLikeNoConsent ? subjectIds.ofPerson(LATE) : `O-${state}`;
    told.consents = [consent('c1', subject, { givenBy: isLikeNoConsent ? 'SELF' : 'AGENT' })];
    told.states = [{ subject, state }];
    const ended = await ask('grade', [subject]);
    told.consents = [];
    const without = await ask('grade', [subject]);
    expect([ended.subjects, without.subjects]).toEqual([[{ grade: null }], [{ grade: null }]]);
    if (isLikeNoConsent) expect(ended.told).toEqual(without.told);
    else expect(ended.told).toMatchObject([{ code: 'FORBIDDEN', reason: `SUBJECT_${state}` }]);
  });
});

describe('a break-glass release', () => {
  const headers = { 'jinxin-purpose': 'EMERGENCY' };

  it('opens the item that it names to its officer, and stands in the record', async () => {
    told.releases = [
      {
        id: 'r1',
        subject: COMPANY,
        items: ['a.emergency'],
        expiresAt: new Date(Date.now() + 60_000).toISOString(),
      },
    ];
    const answer = await ask('secret', [COMPANY, OTHER], { as: 'tax-officer', headers });
    expect(answer.subjects).toEqual([{ secret: 's' }, { secret: null }]);
    expect(answer.told).toMatchObject([{ code: 'FORBIDDEN', reason: 'BREAK_GLASS_REQUIRED' }]);
    expect(await newest()).toMatchObject([{ breakGlass: ['r1'], purpose: 'EMERGENCY' }]);
  });

  it('that has ended, or of another purpose, opens nothing', async () => {
    told.releases = [
      { id: 'r1', subject: COMPANY, items: ['a.emergency'], expiresAt: new Date(1).toISOString() },
    ];
    expect((await ask('secret', [COMPANY], { as: 'tax-officer', headers })).subjects).toEqual([
      { secret: null },
    ]);
    expect((await ask('secret', [COMPANY], { as: 'tax-officer' })).subjects).toBeNull();
  });
});

describe('a register that cannot be read', () => {
  const unreadable = () => {
    throw new GraphQLError('gone', { extensions: { code: 'DEPARTMENT_UNAVAILABLE' } });
  };

  it.each([
    ['of consents', 'activeConsents'],
    ['of subjects’ states', 'subjectStates'],
  ] as const)('%s opens nothing, and the answer says that it could not be found out', async (_, field) => {
    const subject = `O-not-read-${field}`;
    told.consents = [consent('c1', subject, { givenBy: 'AGENT' })];
    told.failing[field] = unreadable;
    const answer = await ask('name grade', [subject]);
    expect([answer.subjects, answer.codes]).toEqual([
      [{ name: 'n', grade: null }],
      [['subjects.0.grade', 'DEPARTMENT_UNAVAILABLE']],
    ]);
    expect(askedFor('grade')).toBe(0);
  });

  it('is not asked where nothing depends on it', async () => {
    told.failing.activeConsents = unreadable;
    expect(await ask('name', [COMPANY])).toMatchObject({ subjects: [{ name: 'n' }], codes: [] });
  });
});
