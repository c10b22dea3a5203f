/** Persons at the front door: looked up by name and number, known to each consumer under an id of its own. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SignJWT } from 'jose';
import pg from 'pg';
import { request } from 'undici';
import { citizenIdCheckDigit, maskCitizenId } from '../schema/identifiers/citizen-id.ts';
import { maskName } from '../schema/identifiers/mask.ts';
import { sandboxBytes, sandboxKey } from '../schema/keys.ts';
import type { PersonaName } from '../schema/sandbox-tokens.ts';
import { sandboxIssuer } from '../schema/sandbox-tokens.ts';
import { createSubjectIds } from '../schema/subject-id.ts';
import type { Person } from '../simulators/population/people.ts';
import { legalRepresentativeOf } from '../simulators/population/people.ts';
import type { Platform, PlatformAnswer } from './kit/platform.ts';
import { startPlatform } from './kit/platform.ts';

const subjectIds = createSubjectIds(new Map([[1, sandboxBytes('subject', 64)]]));
const lines: string[] = [];
let platform: Platform;
let database: pg.Client;
let people: Person[];
let person: Person;
let other: Person;
/** Born in a region that does not exist: nobody. */
let nobody: Person;
beforeAll(async () => {
  platform = await startPlatform({
    scale: 60,
    onLog: (line) => lines.push(line),
    environment: {
      JINXIN_CONSENT_SANDBOX_GRANTS: 'bank-a:LOAN_ORIGINATION,bank-b:LOAN_ORIGINATION',
      JINXIN_LOOKUPS_PER_CONSUMER_MINUTE: '200',
      JINXIN_LOOKUP_QUANTUM_MS: '20',
    },
  });
  database = new pg.Client({ connectionString: await platform.databaseUrl('platform') });
  await database.connect();
  people = platform.population.map(({ code }) => legalRepresentativeOf(code, 'test'));
  [person, other] = people.slice(3) as [Person, Person];
  const first17 = '12999919000101001';
  nobody = { name: person.name, citizenId: (first17 + citizenIdCheckDigit(first17)) as Person['citizenId'] };
}, 60_000);
afterAll(async () => {
  await database.end();
  await platform.close();
});

const LOOK_UP =
  'query ($identity: PersonIdentityInput!) { creditPerson(identity: $identity) { id kind person { name idNumber } } }';
const identityOf = ({ name, citizenId }: Person) => ({ identity: { name, idNumber: citizenId } });
const lookUp = (as: PersonaName, one: Person, query = LOOK_UP) =>
  platform.ask({ as, query, variables: identityOf(one) });

type Account = readonly [id: string, claims: object];
const BANK_C: Account = ['bank-c', { kind: 'bank', purposes: ['LOAN_ORIGINATION'] }];
const accountOf = ({ citizenId }: Person): Account => [
  `account-${citizenId.slice(-4)}`,
  { kind: 'subject', purposes: ['SELF_ACCESS'], subjects: [subjectIds.ofPerson(citizenId)] },
];

/** The very bytes of an answer, and its headers but for the date. */
async function ask([account, jinxin]: Account, query: string, variables: object) {
  const token = await new SignJWT({ jinxin })
    .setProtectedHeader({ alg: 'EdDSA', kid: 'sandbox-1' })
    .setSubject(account)
    .setIssuer(sandboxIssuer.issuer)
    .setAudience(sandboxIssuer.audience)
    .setExpirationTime('60s')
    .sign(sandboxKey('issuer'));
  const response = await request(platform.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  });
  const { date: _, ...headers } = response.headers;
  const text = await response.body.text();
  const { data, errors = [], extensions } = JSON.parse(text) as Partial<PlatformAnswer>;
  return { text, status: response.statusCode, headers, data, errors, extensions };
}
const codesOf = ({ errors }: Pick<PlatformAnswer, 'errors'>) =>
  errors.map(({ extensions }) => extensions['code']);
const recordsSince = async (seq: number) => {
  const { rows } = await database.query<{ record: string }>(
    'SELECT record FROM evidence.audit_log WHERE seq > $1 ORDER BY seq',
    [seq],
  );
  return rows.map(({ record }) => JSON.parse(record) as Record<string, unknown>);
};
const lastRecord = async () =>
  Number((await database.query<{ n: string }>('SELECT max(seq) AS n FROM evidence.audit_log')).rows[0]?.n);

describe('a person who may be looked up', () => {
  it('is shown to a bank with consent under masks, to an officer as the catalogue says, to themself whole', async () => {
    const shown = async (answer: Promise<Pick<PlatformAnswer, 'data' | 'errors'>>) => {
      const { data, errors } = await answer;
      return [data.creditPerson?.kind, data.creditPerson?.person, errors.length];
    };
    const { name, citizenId } = person;
    const masked = { name: maskName(name), idNumber: maskCitizenId(citizenId) };
    expect(await shown(lookUp('bank-a', person))).toEqual(['NATURAL_PERSON', masked, 0]);
    expect(await shown(lookUp('market-officer', person))).toEqual(['NATURAL_PERSON', { ...masked, name }, 0]);
    expect(await shown(lookUp('tax-officer', person))).toEqual([
      'NATURAL_PERSON',
      { ...masked, idNumber: null },
      1,
    ]);
    expect(await shown(ask(accountOf(person), LOOK_UP, identityOf(person)))).toEqual([
      'NATURAL_PERSON',
      { name, idNumber: citizenId },
      0,
    ]);
  });

  it('is found whatever blanks and width the name and number are written in', async () => {
    const { name, citizenId } = person;
    const wide = citizenId.replace(/\d/g, (digit) => String.fromCharCode(digit.charCodeAt(0) + 0xfee0));
    const identity = { name: `${name.slice(0, 1)}　${name.slice(1)} `, idNumber: wide };
    const { data, errors } = await platform.ask({ as: 'bank-a', query: LOOK_UP, variables: { identity } });
    expect([errors, data.creditPerson.person.name]).toEqual([[], maskName(name)]);
  });

  it('leads to the departments, each asked for what this bank may see; the record names the look-up', async () => {
    const seq = await lastRecord();
    const query = LOOK_UP.replace('{ id kind', '{ id __typename courts { status } tax { status } kind');
    const { data, extensions } = await lookUp('bank-a', person, query);
    expect(data.creditPerson).toMatchObject({
      __typename: 'CreditSubject',
      person: { name: maskName(person.name) },
    });
    expect(extensions['receipt']).toBeDefined();
    expect(await recordsSince(seq)).toMatchObject([
      {
        result: 'DISCLOSED',
        subjects: [subjectIds.ofPerson(person.citizenId)],
        items: expect.arrayContaining([
          'subjects.person-lookup',
          'subjects.person',
          'subjects.person-number',
        ]),
        denials: [],
      },
    ]);
  });
});

describe('the id of a person', () => {
  const idFor = async (as: PersonaName, one: Person) =>
    (await lookUp(as, one)).data.creditPerson.id as string;

  it('is the same for one consumer each time, and shares nothing with another’s', async () => {
    const [a, b, again, officer] = [
      await lookUp('bank-a', person),
      await lookUp('bank-b', person),
      await lookUp('bank-a', person),
      await lookUp('market-officer', person),
    ].map(({ data }) => data.creditPerson.id as string);
    expect(again).toBe(a);
    expect(new Set([a, b, officer]).size).toBe(3);
    const strings = [a, b].map((id) => new Set(String(id).slice(3).match(/.{6}/g)));
    expect([...(strings[0] ?? [])].filter((part) => strings[1]?.has(part))).toEqual([]);
    expect(JSON.stringify([a, b, officer])).not.toMatch(/"P\d+-/);
  });

  it('is opened in variables however deep, for the consumer that it was given to and for no other', async () => {
    const account = accountOf(person);
    const { data } = await ask(account, LOOK_UP, identityOf(person));
    const own = data.creditPerson.id as string;
    const query = 'query ($subject: SubjectId!) { consents(subject: $subject) { subject consumer } }';
    const bank = await idFor('bank-a', person);
    expect(await ask(account, query, { subject: own })).toMatchObject({ errors: [], data: { consents: [] } });

    const forged = `${own.slice(0, -1)}${own.endsWith('A') ? 'B' : 'A'}`;
    const refusals = [
      bank,
      subjectIds.ofPerson(person.citizenId),
      forged,
      'C1-AAAA',
      'P1-AAAA',
      'O-91120101MA9TYN016X0'.slice(0, 20),
    ];
    const answers = await Promise.all(refusals.map((subject) => ask(account, query, { subject })));
    expect(new Set(answers.slice(0, 5).map(({ text }) => text)).size).toBe(1);
    expect(codesOf(answers[0] as never)).toEqual(['SUBJECT_NOT_FOUND']);
    expect(answers[0]?.data).toBeUndefined();
    const unheard = await platform.ask({ as: 'bank-b', query, variables: { subject: bank } });
    expect(codesOf(unheard)).toEqual(['SUBJECT_NOT_FOUND']);
  });

  it('is what a consent is given by, and what the register of consents answers with', async () => {
    const account = accountOf(other);
    const refused = await ask(BANK_C, LOOK_UP, identityOf(other));
    expect(codesOf(refused)).toEqual(['LOOKUP_REFUSED']);
    const { data } = await ask(account, LOOK_UP, identityOf(other));
    const subject = data.creditPerson.id as string;
    const day = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
    const input = {
      subject,
      consumer: 'bank-c',
      purpose: 'LOAN_ORIGINATION',
      items: ['subjects.person-lookup', 'subjects.person'],
      expiresAt: day(7),
      periodFrom: day(-300).slice(0, 10),
      periodUntil: day(0).slice(0, 10),
      dataLifeDays: 7,
      frequency: { times: 1, per: 'CONSENT' },
      acknowledgesPersonal: true,
      acknowledgesSensitive: true,
    };
    const grant =
      'mutation ($input: GrantConsentInput!) { grantConsent(input: $input) { id subject state } }';
    const foreign = await ask(account, grant, { input: { ...input, subject: await idFor('bank-a', other) } });
    expect(codesOf(foreign)).toEqual(['SUBJECT_NOT_FOUND']);
    const granted = await ask(account, grant, { input });
    expect(granted.errors).toEqual([]);
    expect(granted.data.grantConsent.subject).toBe(subject);

    const found = await ask(BANK_C, LOOK_UP, identityOf(other));
    expect(found.data.creditPerson.person).toEqual({ name: maskName(other.name), idNumber: null });
    expect(codesOf(found)).toEqual(['CONSENT_REQUIRED']);
    const listed = await ask(BANK_C, 'query ($s: SubjectId!) { consents(subject: $s) { subject } }', {
      s: found.data.creditPerson.id,
    });
    expect(listed.data.consents).toEqual([{ subject: found.data.creditPerson.id }]);
    expect(found.data.creditPerson.id).not.toBe(subject);
    await ask(account, 'mutation ($id: ID!) { revokeConsent(id: $id) { state } }', {
      id: granted.data.grantConsent.id,
    });
    expect((await ask(BANK_C, LOOK_UP, identityOf(other))).text).toBe(refused.text);
  });
});

describe('absent, another’s name, and forbidden', () => {
  it.each([
    '{ creditPerson(identity: $identity) { id } }',
    '{ creditPerson(identity: $identity) { __typename } }',
    '{ a: creditPerson(identity: $identity) { person { name } } b: creditPerson(identity: $identity) { id kind } }',
    '{ creditPerson(identity: $identity) { id kind name person { name idNumber } courts { status } tax { grade } } }',
    '{ ...F } fragment F on Query { ... @include(if: true) { creditPerson(identity: $identity) { ...G } } } fragment G on CreditSubject { id person { name } }',
  ])(
    'are the same bytes, no department is asked, and each leaves one record of a denial: %s',
    async (selection) => {
      const query = `query ($identity: PersonIdentityInput!) ${selection}`;
      const bankA: Account = ['bank-a', { kind: 'bank', purposes: ['LOAN_ORIGINATION'] }];
      // People of this case alone: who is asked about too often is not answered at all.
      const [present, forbidden] = people.splice(-2) as [Person, Person];
      const wrongName = { ...present, name: `${present.name}某` };
      const cases: readonly (readonly [Account, Person])[] = [
        [BANK_C, nobody],
        [BANK_C, wrongName],
        [BANK_C, forbidden],
        [bankA, nobody],
        [bankA, wrongName],
      ];
      const seq = await lastRecord();
      const before = platform.simulators.calls();
      const answers: Awaited<ReturnType<typeof ask>>[] = [];
      for (const [account, one] of cases) answers.push(await ask(account, query, identityOf(one)));
      expect(answers.map(({ text }) => text)).toEqual(answers.map(() => answers[0]?.text));
      expect(new Set(answers.map(({ headers, status }) => JSON.stringify([status, headers]))).size).toBe(1);
      const [{ data, errors, extensions } = { data: null, errors: [], extensions: undefined }] = answers;
      expect([...new Set(Object.values(data as object))]).toEqual([null]);
      expect(extensions).toBeUndefined();
      expect(errors).toEqual(
        Object.keys(data as object).map((name) => ({
          message: expect.any(String),
          path: [name],
          extensions: { code: 'LOOKUP_REFUSED', decision: expect.stringMatching(/^[\w-]{16}$/) },
        })),
      );
      expect(Object.values(platform.callsSince(before)).every((calls) => calls === 0)).toBe(true);
      const records = await recordsSince(seq);
      expect(records.map(({ result, items }) => [result, items])).toEqual(cases.map(() => ['DENIED', []]));
      expect(records.map(({ subjects }) => subjects)).toEqual(
        cases.map(([, { citizenId }]) => [subjectIds.ofPerson(citizenId)]),
      );
    },
  );

  it('are told to an officer alike, too, who may look up whoever is there', async () => {
    const answers = [
      await lookUp('market-officer', nobody),
      await lookUp('market-officer', { ...person, name: '某' }),
    ];
    expect(answers[0]).toEqual(answers[1]);
    expect(answers.map(codesOf)).toEqual([['LOOKUP_REFUSED'], ['LOOKUP_REFUSED']]);
  });

  it('are not told while the register cannot say who is in it: that is unknown, for everybody', async () => {
    await database.query('UPDATE subjects.fill SET is_whole = false');
    const answers = [];
    for (const one of [nobody, person]) answers.push(await ask(BANK_C, LOOK_UP, identityOf(one)));
    await database.query('UPDATE subjects.fill SET is_whole = true');
    expect(answers.map(codesOf)).toEqual([['DEPARTMENT_UNAVAILABLE'], ['DEPARTMENT_UNAVAILABLE']]);
    expect(answers[0]?.text).toBe(answers[1]?.text);
  });

  it('are nothing to whom the catalogue lets look nobody up', async () => {
    for (const one of [nobody, person])
      expect(
        (await platform.ask({ query: LOOK_UP, variables: identityOf(one) })).errors.map(
          ({ extensions }) => extensions,
        ),
      ).toMatchObject([{ code: 'FORBIDDEN', item: 'subjects.person-lookup', reason: 'NOT_GRANTED' }]);
  });
});

describe('look-ups are counted', () => {
  const many = (count: number) =>
    `query ($identity: PersonIdentityInput!) { ${Array.from({ length: count }, (_, at) => `x${at}: creditPerson(identity: $identity) { id }`).join(' ')} }`;

  it('each alias once, whether or not there is such a person, before anybody is asked', async () => {
    for (const [at, one] of [nobody, person].entries()) {
      const bank: Account = [`guesser-${at}`, { kind: 'bank', purposes: ['LOAN_ORIGINATION'] }];
      const seq = await lastRecord();
      const refused = await ask(bank, many(11), identityOf(one));
      expect([refused.status, refused.data, codesOf(refused)]).toEqual([429, undefined, ['RATE_LIMITED']]);
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
      expect(await recordsSince(seq)).toEqual([]);
    }
  });

  it('by consumer and person together, across requests and names', async () => {
    const bank: Account = ['guesser-x', { kind: 'bank', purposes: ['LOAN_ORIGINATION'] }];
    const guess = (at: number) => ask(bank, LOOK_UP, identityOf({ ...person, name: `某${at}` }));
    const codes = [];
    for (let at = 0; at < 12; at++) codes.push(...codesOf(await guess(at)));
    expect(codes.filter((code) => code === 'LOOKUP_REFUSED')).toHaveLength(10);
    expect(codes.slice(10)).toEqual(['RATE_LIMITED', 'RATE_LIMITED']);
    // Another person is not the worse for it.
    expect(codesOf(await ask(bank, LOOK_UP, identityOf(other)))).toEqual(['LOOKUP_REFUSED']);
  });

  it('by person, whoever asks', async () => {
    const asked = people.pop();
    const codes = [];
    for (let at = 0; at < 6; at++) {
      const bank: Account = [`crowd-${at}`, { kind: 'bank', purposes: ['LOAN_ORIGINATION'] }];
      codes.push(codesOf(await ask(bank, many(8), identityOf(asked as Person)))[0]);
    }
    expect(codes).toEqual([...Array<string>(5).fill('LOOKUP_REFUSED'), 'RATE_LIMITED']);
  });
});

describe('an ID number', () => {
  it('stands in no document, and in no error about one', async () => {
    const { name, citizenId } = person;
    const literal = await platform.ask({
      as: 'bank-a',
      query: `{ creditPerson(identity: { name: "${name}", idNumber: "${citizenId}" }) { id } }`,
    });
    expect(codesOf(literal)).toEqual(['INVALID_INPUT']);
    const spoiled = [
      citizenId,
      { name, idNumber: citizenId, more: citizenId },
      { name: Number(citizenId) },
      [citizenId],
    ];
    const answers = [literal];
    for (const identity of spoiled)
      answers.push(await platform.ask({ as: 'bank-a', query: LOOK_UP, variables: { identity } }));
    for (const answer of answers) expect(answer.data ?? null).toBeNull();
    expect(JSON.stringify(answers)).not.toContain(citizenId.slice(0, 15));
  });

  it('and the name that goes with it are in no line of the log, in no answer to a bank, in no record', async () => {
    for (const as of ['bank-a', 'bank-b', 'market-officer'] as const) await lookUp(as, person);
    const { rows } = await database.query<{ record: string }>('SELECT record FROM evidence.audit_log');
    const told = [...lines, ...rows.map(({ record }) => record)].join('\n');
    expect(told).not.toMatch(/\d{6}1900\d{7}[\dX]/);
    expect(told).not.toContain(person.name);
    expect(lines.length).toBeGreaterThan(0);
  });
});
