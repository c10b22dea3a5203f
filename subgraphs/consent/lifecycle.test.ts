/** Who consents, what is signed, and what each side is told of a consent afterwards. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createPublicKey } from 'node:crypto';
import pg from 'pg';
import type { Principal } from '../../schema/principal.ts';
import type { ConsentKit } from '../../tests/kit/consent.ts';
import {
  agent,
  bank,
  citizen,
  CITIZEN,
  CONSENT,
  CONSENT_KEY,
  decideConsent,
  gateway,
  grantInput,
  guardian,
  minor,
  MINOR,
  OTHER,
  owner,
  prepareConsent,
  SAMPLE,
  startConsent,
} from '../../tests/kit/consent.ts';
import type { TestDatabases } from '../../tests/kit/postgres.ts';
import { createTestDatabases } from '../../tests/kit/postgres.ts';
import { isSignedArtefact, loadConsentVerifier } from './signing.ts';

const READ = `query ($id: ID!) { consent(id: $id) { ${CONSENT} } }`;
const GRANT = `mutation ($input: GrantConsentInput!) { grantConsent(input: $input) { ${CONSENT} } }`;
const NOTICES = `query ($after: String, $first: Int! = 100) { consentNotices(after: $after, first: $first) {
  cursor notices { kind subject consumer draft consent at } } }`;
const otherBank: Principal = { ...bank, id: 'bank-b' };
const monitoringBank: Principal = { ...bank, purpose: 'LOAN_MONITORING' };

let databases: TestDatabases;
let database: pg.Client;
let consent: ConsentKit;
beforeAll(async () => {
  databases = createTestDatabases();
  const url = await databases.url('platform');
  consent = await startConsent({ JINXIN_PLATFORM_URL: url, JINXIN_ENVIRONMENT: 'production' });
  database = new pg.Client({ connectionString: url });
  await database.connect();
});
afterAll(async () => {
  await database.end();
  await consent.close();
  await databases.close();
});

type Change = Parameters<typeof prepareConsent>[1];
const prepare = (change?: Change, as?: Principal) => prepareConsent(consent, change, as);
const decide = (draft: Parameters<typeof decideConsent>[1], change?: object, as?: Principal) =>
  decideConsent(consent, draft, change, as);

describe('who consents', () => {
  const ticks = { acknowledgesPersonal: true, acknowledgesSensitive: true };
  const forSubject = async (subject: string) => (await prepare({ code: undefined, subject })).draft;

  it('is the person itself when of age', async () => {
    const draft = await forSubject(CITIZEN);
    const { decision } = await decide(draft, ticks, citizen);
    expect(decision.consent).toMatchObject({ givenBy: 'SELF', channel: 'LICENSED_BUREAU', subject: CITIZEN });
    // What the bank gets tells it nothing by which it could find the same person elsewhere.
    expect(decision.consent.artefact).not.toContain(CITIZEN);
    expect(decision.consent.artefact).not.toContain('citizen"');
  });

  it('is the guardian of a minor, never the minor, whose data are all sensitive', async () => {
    const draft = await forSubject(MINOR);
    expect((await decide(draft, ticks, minor)).error).toMatchObject({
      code: 'FORBIDDEN',
      reason: 'GUARDIAN_REQUIRED',
    });
    expect((await decide(draft, { acknowledgesPersonal: true }, guardian)).error).toMatchObject({
      attribute: 'acknowledgesSensitive',
    });
    expect((await decide(draft, ticks, guardian)).decision.consent).toMatchObject({ givenBy: 'GUARDIAN' });
    const all = draft.items.map(({ item }: { item: string }) => ({ item, accept: false }));
    const other = await forSubject(MINOR);
    expect((await decide(other, { items: all }, minor)).error).toMatchObject({ code: 'FORBIDDEN' });
  });

  it('is no guardian and no agent of an adult', async () => {
    const draft = await forSubject(CITIZEN);
    const acting = (as: 'GUARDIAN' | 'AGENT'): Principal => ({
      ...citizen,
      actsFor: [{ subject: CITIZEN, as }],
    });
    expect((await decide(draft, ticks, acting('GUARDIAN'))).error).toMatchObject({ reason: 'NOT_A_MINOR' });
    expect(
      (await decide(draft, { ...ticks, authorisation: '委托书 1 号' }, acting('AGENT'))).error,
    ).toMatchObject({
      reason: 'AGENT_OF_A_PERSON',
    });
  });

  it('is an agent of a company by the document that authorises it, which is recorded', async () => {
    const { draft } = await prepare();
    const bad = [undefined, '', 'x', `编号 ${'1'.repeat(18)}`];
    for (const authorisation of bad)
      expect((await decide(draft, { authorisation }, agent)).error).toMatchObject({
        attribute: 'authorisation',
      });
    expect((await decide(draft, { authorisation: '津委字〔2026〕第12号' }, owner)).error).toMatchObject({
      attribute: 'authorisation',
    });
    const { decision } = await decide(draft, { authorisation: '津委字〔2026〕第12号' }, agent);
    expect(decision.consent).toMatchObject({ givenBy: 'AGENT' });
    expect(JSON.parse(decision.consent.artefact as string)).toMatchObject({
      givenBy: { as: 'AGENT', authorisation: '津委字〔2026〕第12号' },
    });
  });

  it('may also consent unasked, by the same rules and with the same artefact', async () => {
    const ask = async (as: Principal, change: object) => {
      const reply = await consent.ask(as, GRANT, { input: { ...grantInput(consent.now()), ...change } });
      return { granted: reply.data?.grantConsent, error: reply.errors?.[0]?.extensions };
    };
    expect((await ask(owner, { items: ['tax.amount'] })).error).toMatchObject({
      attribute: 'acknowledgesWritten',
    });
    expect((await ask(agent, {})).error).toMatchObject({ attribute: 'authorisation' });
    expect((await ask(owner, { subject: OTHER })).error).toMatchObject({ code: 'FORBIDDEN' });
    expect((await ask(minor, { subject: MINOR, ...ticks })).error).toMatchObject({
      reason: 'GUARDIAN_REQUIRED',
    });
    expect(
      (await ask(citizen, { subject: CITIZEN, ...ticks, channel: 'PUBLIC_CREDIT_PLATFORM' })).error,
    ).toMatchObject({ attribute: 'channel' });
    expect((await ask(owner, { items: ['tax.status'] })).error).toMatchObject({ attribute: 'items' });
    const { granted } = await ask(owner, { items: ['tax.amount'], acknowledgesWritten: true });
    expect(granted).toMatchObject({
      writtenItems: ['tax.amount'],
      draft: null,
      artefact: expect.stringContaining('"draft":null'),
    });
  });

  it('resumes only what it could give today', async () => {
    const draft = await forSubject(MINOR);
    const { decision } = await decide(draft, ticks, guardian);
    const { id } = decision.consent as { id: string };
    const move = (verb: string, as: Principal) =>
      consent.ask(as, `mutation ($id: ID!) { ${verb}Consent(id: $id) { state } }`, { id });
    // To take back is open to the minor itself.
    expect((await move('pause', minor)).data.pauseConsent.state).toBe('PAUSED');
    expect((await move('resume', minor)).errors?.[0]?.extensions).toMatchObject({
      reason: 'GUARDIAN_REQUIRED',
    });
    expect((await move('resume', guardian)).data.resumeConsent.state).toBe('ACTIVE');
  });
});

describe('the signed artefact', () => {
  it('is read alike by both sides and by an auditor, by nobody else, and verifies offline', async () => {
    const { draft } = await prepare();
    const { decision } = await decide(draft);
    const { id } = decision.consent as { id: string };
    const auditor: Principal = { kind: 'auditor', id: 'auditor', purpose: 'AUDIT', subjects: [] };
    for (const as of [owner, bank, auditor])
      expect((await consent.ask(as, READ, { id })).data.consent).toEqual(decision.consent);
    for (const as of [citizen, otherBank])
      expect((await consent.ask(as, READ, { id })).data).toEqual({ consent: null });
    const { artefact, digest, signature } = decision.consent as {
      artefact: string;
      digest: string;
      signature: { value: string; algorithm: 'SM2-SM3'; keyId: string };
    };
    const { value, ...key } = signature;
    const publicKey = createPublicKey(CONSENT_KEY).export({ type: 'spki', format: 'pem' });
    const verifier = loadConsentVerifier('SM2-SM3', publicKey as string);
    expect(isSignedArtefact(verifier, { text: artefact, digest, signature: value, ...key })).toBe(true);
  });
});

describe('notices', () => {
  const read = async (as: Principal, after: string | null, first = 100) => {
    const reply = await consent.ask(as, NOTICES, { after, first });
    expect(reply.errors).toBeUndefined();
    return reply.data.consentNotices as {
      cursor: string | null;
      notices: { kind: string; consent: string | null; draft: string | null; consumer: string }[];
    };
  };
  /** Reads on until `kinds` of this draft or consent have come; what others write in the database may hold them up. */
  async function until(as: Principal, about: (string | null)[], kinds: string[], first: number) {
    const seen: string[] = [];
    let cursor: string | null = null;
    while (seen.length < kinds.length) {
      const page = await read(as, cursor, first);
      cursor = page.cursor;
      seen.push(
        ...page.notices
          .filter(({ draft, consent: id }) => about.includes(draft ?? id))
          .map(({ kind }) => kind),
      );
      seen.push(
        ...page.notices
          .filter(
            ({ draft, consent: id }) =>
              draft !== null && id !== null && !about.includes(draft) && about.includes(id),
          )
          .map(({ kind }) => kind),
      );
    }
    return seen;
  }

  it('tell bank and subject in their order what became of a draft and its consent', async () => {
    const noted: Principal = { ...bank, id: 'bank-noted' };
    const { draft } = await prepare({}, noted);
    const { decision } = await decide(draft);
    const { id } = decision.consent as { id: string };
    for (const verb of ['pause', 'pause', 'resume', 'revoke', 'revoke'])
      await consent.ask(owner, `mutation ($id: ID!) { ${verb}Consent(id: $id) { id } }`, { id });
    const kinds = ['PREPARED', 'GRANTED', 'PAUSED', 'RESUMED', 'REVOKED'];
    expect(await until(noted, [draft.id, id], kinds, 2)).toEqual(kinds);
    expect(await until(owner, [draft.id, id], kinds, 50)).toEqual(kinds);
    const others = await read(otherBank, null);
    expect(others.notices.every(({ consumer }) => consumer === 'bank-b')).toBe(true);
    const strangers = await read(citizen, null, 200);
    expect(strangers.notices.filter(({ draft: of }) => of === draft.id)).toEqual([]);
  });

  it('tell of a use that was the last one', async () => {
    const { draft } = await prepare(
      {
        product: 'xyd-monitoring',
        purpose: 'LOAN_MONITORING',
        terms: { frequency: { times: 1, per: 'MONTH' } },
      },
      monitoringBank,
    );
    const { decision } = await decide(draft);
    const { id } = decision.consent as { id: string };
    const confirm =
      'mutation ($ids: [ID!]!) { confirmConsents(ids: $ids, consumer: "bank-a", request: "last", digest: "d") { held } }';
    expect((await consent.ask(gateway, confirm, { ids: [id] })).data.confirmConsents.held).toEqual([id]);
    expect(await until(bank, [draft.id, id], ['PREPARED', 'GRANTED', 'USED_UP'], 100)).toEqual([
      'PREPARED',
      'GRANTED',
      'USED_UP',
    ]);
  });

  it('are not passed over when an earlier transaction commits late', async () => {
    const late: Principal = { ...bank, id: 'bank-late' };
    // A transaction that has its number already, and has not committed when a later one has.
    await database.query('BEGIN');
    await database.query(
      `INSERT INTO consent.notice (subject_id, consumer, kind, at) VALUES ($1, 'bank-late', 'EXPIRED', now())`,
      [SAMPLE],
    );
    const { draft } = await prepare({}, late);
    const early = await read(late, null);
    expect(early).toEqual({ cursor: null, notices: [] });
    await database.query('COMMIT');
    const seen: string[] = [];
    let { cursor } = early;
    while (seen.length < 2) {
      const page = await read(late, cursor);
      cursor = page.cursor;
      seen.push(...page.notices.map(({ kind, draft: of }) => `${kind} ${of === draft.id}`));
    }
    expect(seen).toEqual(['EXPIRED false', 'PREPARED true']);
    expect((await read(late, cursor)).cursor).toBe(cursor);
  });

  it.each([{ after: 'x' }, { after: '1-1; --' }, { first: 0 }, { first: 100_000 }])(
    'are refused for %j',
    async (variables) => {
      const reply = await consent.ask(owner, NOTICES, { first: 100, ...variables });
      expect(reply.errors?.[0]?.extensions).toMatchObject({
        code: 'INVALID_INPUT',
        attribute: Object.keys(variables)[0],
      });
    },
  );
});

describe('the list of consents', () => {
  it('is read page by page, newest first', async () => {
    const ids: string[] = [];
    for (let at = 0; at < 5; at += 1) {
      const reply = await consent.ask(owner, GRANT, {
        input: { ...grantInput(consent.now()), consumer: 'bank-pages' },
      });
      ids.unshift(reply.data.grantConsent.id as string);
      consent.travel(1_000);
    }
    const query =
      'query ($s: SubjectId!, $after: ID) { consents(subject: $s, first: 2, after: $after) { id } }';
    const pages: string[] = [];
    let after: string | null = null;
    do {
      const reply = await consent.ask({ ...bank, id: 'bank-pages' }, query, { s: SAMPLE, after });
      const page = (reply.data.consents as { id: string }[]).map(({ id }) => id);
      pages.push(...page);
      after = page.at(-1) ?? null;
    } while (after !== null);
    expect(pages).toEqual(ids);
  });
});
