import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import type { Principal } from '../../schema/principal.ts';
import type { ConsentKit } from '../../tests/kit/consent.ts';
import {
  bank,
  DAY,
  gateway,
  grantInput as input,
  OTHER,
  owner,
  SAMPLE,
  startConsent,
} from '../../tests/kit/consent.ts';
import type { TestDatabases } from '../../tests/kit/postgres.ts';
import { createTestDatabases } from '../../tests/kit/postgres.ts';

const GRANT =
  'mutation ($input: GrantConsentInput!) { grantConsent(input: $input) { id state digest items } }';
const ACTIVE = `query ($consumer: String!, $purpose: Purpose!, $subjects: [SubjectId!]!) {
  activeConsents(consumer: $consumer, purpose: $purpose, subjects: $subjects) { id subject items expiresAt } }`;
const LIST =
  'query ($subject: SubjectId!) { consents(subject: $subject) { id state revokedAt consumer frequency { times per } } }';
const move = (verb: string) => `mutation ($id: ID!) { ${verb}Consent(id: $id) { id state } }`;

describe('consent', () => {
  let databases: TestDatabases;
  let url: string;
  let consent: ConsentKit;

  beforeAll(async () => {
    databases = createTestDatabases();
    url = await databases.url('platform');
    consent = await startConsent({ JINXIN_PLATFORM_URL: url, JINXIN_ENVIRONMENT: 'production' });
  });
  afterAll(async () => {
    await consent.close();
    await databases.close();
  });

  const active = async (asked: object = {}) => {
    const variables = { consumer: 'bank-a', purpose: 'LOAN_ORIGINATION', subjects: [SAMPLE], ...asked };
    return (await consent.ask(gateway, ACTIVE, variables)).data?.activeConsents as {
      id: string;
      items: string[];
    }[];
  };
  const grant = async (change: object = {}) => {
    const reply = await consent.ask(owner, GRANT, { input: { ...input(consent.now()), ...change } });
    return { reply, id: reply.data?.grantConsent?.id as string };
  };

  it('is found for its consumer, purpose and subject, and for no other', async () => {
    const { id, reply } = await grant();
    expect(reply.data.grantConsent).toMatchObject({
      state: 'ACTIVE',
      digest: expect.stringMatching(/^sm3:[0-9a-f]{64}$/),
    });
    expect((await active()).find((found) => found.id === id)?.items).toEqual([
      'finance.assessment',
      'tax.grade',
    ]);
    expect(await active({ consumer: 'bank-b' })).toEqual([]);
    expect(await active({ purpose: 'LOAN_MONITORING' })).toEqual([]);
    expect(await active({ subjects: [OTHER] })).toEqual([]);
  });

  it('is looked up for a hundred subjects with one statement', async () => {
    await grant();
    const subjects = [
      SAMPLE,
      ...Array.from({ length: 99 }, (_, at) => `O-91120101MA9TY${String(at).padStart(4, '0')}`),
    ];
    const before = consent.calls();
    expect((await active({ subjects })).length).toBeGreaterThan(0);
    expect(consent.calls() - before).toBe(1);
  });

  it('ends at once and for good when it is revoked', async () => {
    const { id } = await grant();
    const revoked = await consent.ask(owner, move('revoke'), { id });
    expect(revoked.data.revokeConsent).toEqual({ id, state: 'REVOKED' });
    expect((await active()).map((found) => found.id)).not.toContain(id);
    const resumed = await consent.ask(owner, move('resume'), { id });
    expect(resumed.errors?.[0]?.extensions).toMatchObject({ code: 'INVALID_INPUT', attribute: 'id' });
    const list = await consent.ask(owner, LIST, { subject: SAMPLE });
    const shown = (list.data.consents as { id: string }[]).find((one) => one.id === id);
    expect(shown).toMatchObject({
      state: 'REVOKED',
      revokedAt: expect.any(String),
      frequency: { times: 1, per: 'CONSENT' },
    });
  });

  it('rests while it is paused', async () => {
    const { id } = await grant();
    await consent.ask(owner, move('pause'), { id });
    expect((await active()).map((found) => found.id)).not.toContain(id);
    await consent.ask(owner, move('resume'), { id });
    expect((await active()).map((found) => found.id)).toContain(id);
  });

  it('ends by itself at its expiry', async () => {
    const { id } = await grant({ expiresAt: new Date(consent.now() + DAY).toISOString() });
    expect((await active()).map((found) => found.id)).toContain(id);
    consent.travel(DAY + 1);
    expect((await active()).map((found) => found.id)).not.toContain(id);
    const list = await consent.ask(owner, LIST, { subject: SAMPLE });
    expect((list.data.consents as { id: string }[]).find((one) => one.id === id)).toMatchObject({
      state: 'EXPIRED',
    });
  });

  it.each([
    ['expiresAt', { expiresAt: '2199-01-01T00:00:00Z' }],
    ['dataLifeDays', { dataLifeDays: 400 }],
    ['frequency', { frequency: { times: 9, per: 'DAY' } }],
    ['periodFrom', { periodFrom: '2001-01-01' }],
    ['purpose', { purpose: 'REGIONAL_EXCHANGE' }],
    ['items', { items: ['*'] }],
    ['items', { items: [] }],
    ['items', { items: ['Tax.Grade'] }],
    ['consumer', { consumer: 'bank a; --' }],
  ])('is refused with the name of %s when %j goes beyond the template', async (attribute, change) => {
    const { reply } = await grant(change);
    expect(reply.errors?.[0]?.extensions).toMatchObject({ code: 'INVALID_INPUT', attribute });
    expect(reply.data.grantConsent).toBeNull();
  });

  it('is given only for a subject that the principal is or acts for', async () => {
    const { reply } = await grant({ subject: OTHER });
    expect(reply.errors?.[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', item: 'consent.manage' });
  });

  it('cannot be changed by another subject, who is told no more than of one that does not exist', async () => {
    const { id } = await grant();
    const stranger: Principal = { ...owner, id: 'citizen', subjects: [OTHER] };
    const foreign = await consent.ask(stranger, move('revoke'), { id });
    const missing = await consent.ask(stranger, move('revoke'), {
      id: '00000000-0000-4000-8000-000000000000',
    });
    const nonsense = await consent.ask(stranger, move('revoke'), { id: `' OR true --` });
    expect(foreign.errors).toEqual(missing.errors);
    expect(nonsense.errors).toEqual(missing.errors);
    expect((await active()).map((found) => found.id)).toContain(id);
  });

  it('is shown to the bank that it was given to, and to no other', async () => {
    await grant();
    const own = await consent.ask(bank, LIST, { subject: SAMPLE });
    const others = await consent.ask({ ...bank, id: 'bank-b' }, LIST, { subject: SAMPLE });
    expect((own.data.consents as { consumer: string }[]).every(({ consumer }) => consumer === 'bank-a')).toBe(
      true,
    );
    expect(own.data.consents.length).toBeGreaterThan(0);
    expect(others.data.consents).toEqual([]);
  });

  it.each<[string, Principal, string, object]>([
    [
      'a bank looks up what the gateway looks up',
      bank,
      ACTIVE,
      { consumer: 'bank-b', purpose: 'LOAN_ORIGINATION', subjects: [SAMPLE] },
    ],
    ['the gateway reads artefacts', gateway, LIST, { subject: SAMPLE }],
    ['a bank consents for a company', bank, GRANT, { input: input(Date.now()) }],
    ['a stranger reads a subject’s consents', { ...owner, subjects: [OTHER] }, LIST, { subject: SAMPLE }],
  ])('answers FORBIDDEN when %s', async (_, principal, query, variables) => {
    const reply = await consent.ask(principal, query, variables);
    expect(reply.errors?.[0]?.extensions['code']).toBe('FORBIDDEN');
    expect(Object.values(reply.data ?? {}).every((value) => value === null)).toBe(true);
  });

  it('stands for every subject and item in a sandbox that says so, until the sandbox says otherwise', async () => {
    const variables = { consumer: 'bank-s', purpose: 'LOAN_ORIGINATION', subjects: [SAMPLE, OTHER] };
    const found = async (environment: Readonly<Record<string, string>>) => {
      const sandbox = await startConsent({
        JINXIN_PLATFORM_URL: url,
        JINXIN_ENVIRONMENT: 'sandbox',
        ...environment,
      });
      const reply = await sandbox.ask(gateway, ACTIVE, variables);
      await sandbox.close();
      return reply.data.activeConsents as { subject: string; items: string[] }[];
    };
    const standing = await found({
      JINXIN_CONSENT_SANDBOX_GRANTS: 'bank-s:LOAN_ORIGINATION, bank-s:LOAN_MONITORING',
    });
    expect(standing.map(({ subject, items }) => [subject, items])).toEqual([
      [SAMPLE, ['*']],
      [OTHER, ['*']],
    ]);
    // The production instance that runs beside it does not count them, even while they stand in the table.
    expect(await active({ consumer: 'bank-s' })).toEqual([]);
    expect(await found({})).toEqual([]);
  });

  it.each([
    ['sandbox', { JINXIN_ENVIRONMENT: 'prod' }],
    [
      'production signs consents with a key of its own',
      { JINXIN_ENVIRONMENT: 'production', JINXIN_CONSENT_SIGNING_KEY: undefined as never },
    ],
    [
      'production has no standing consents',
      { JINXIN_ENVIRONMENT: 'production', JINXIN_CONSENT_SANDBOX_GRANTS: 'bank-a:LOAN_ORIGINATION' },
    ],
    ['must read', { JINXIN_ENVIRONMENT: 'sandbox', JINXIN_CONSENT_SANDBOX_GRANTS: 'bank-a:EVERYTHING' }],
  ])('does not start where %s', async (problem, environment) => {
    await expect(startConsent({ JINXIN_PLATFORM_URL: url, ...environment })).rejects.toThrow(problem);
  });

  it('answers at its deadline, and closes at once, when its register hangs', async () => {
    const locker = new pg.Client({ connectionString: url });
    await locker.connect();
    await locker.query('BEGIN; LOCK TABLE consent.artefact IN ACCESS EXCLUSIVE MODE');
    const hung = await startConsent({ JINXIN_PLATFORM_URL: url, JINXIN_CONSENT_DEADLINE_MS: '150' });
    const reply = await hung.ask(gateway, ACTIVE, {
      consumer: 'bank-a',
      purpose: 'LOAN_ORIGINATION',
      subjects: [SAMPLE],
    });
    expect(reply.errors?.[0]?.extensions['code']).toBe('DEPARTMENT_UNAVAILABLE');
    await hung.close();
    await locker.end();
  });

  it('never answers "none" when its register cannot be read', async () => {
    const alone = await startConsent({ JINXIN_PLATFORM_URL: 'postgres://nobody@127.0.0.1:1/none' });
    const variables = { consumer: 'bank-a', purpose: 'LOAN_ORIGINATION', subjects: [SAMPLE] };
    const reply = await alone.ask(gateway, ACTIVE, variables);
    await alone.close();
    expect(reply.data).toBeNull();
    expect(reply.errors?.[0]?.extensions['code']).toBe('DEPARTMENT_UNAVAILABLE');
  });
});
