/** From a bank's draft to a signed consent, and what each side is shown and told on the way. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createPublicKey } from 'node:crypto';
import pg from 'pg';
import { digestOf } from '../../schema/canonical.ts';
import type { Principal } from '../../schema/principal.ts';
import { SAMPLE_COMPANY_CODE } from '../../schema/sandbox-tokens.ts';
import type { ConsentKit } from '../../tests/kit/consent.ts';
import {
  agent,
  bank,
  citizen,
  CITIZEN,
  CONSENT_KEY,
  DAY,
  gateway,
  grantInput,
  guardian,
  minor,
  MINOR,
  OTHER,
  owner,
  SAMPLE,
  startConsent,
} from '../../tests/kit/consent.ts';
import type { TestDatabases } from '../../tests/kit/postgres.ts';
import { createTestDatabases } from '../../tests/kit/postgres.ts';
import { isSignedArtefact, loadConsentVerifier } from './signing.ts';

const DRAFT = `id subject consumer purpose product channel state consequencesZh consequencesEn expiresAt periodFrom periodUntil
  dataLifeDays frequency { times per } preparedAt openUntil decidedAt consent text { version zh en digest }
  items { item nameZh nameEn sensitivity basis isPersonal isSensitive isWritten }`;
const PREPARE = `mutation ($input: PrepareConsentInput!) { prepareConsent(input: $input) { ${DRAFT} } }`;
const PREVIEW = `query ($id: ID!) { consentDraft(id: $id) { ${DRAFT} } }`;
const CONSENT = `id subject consumer purpose product channel draft givenBy items writtenItems refusedItems state periodFrom
  periodUntil dataLifeDays expiresAt digest artefact text { version zh digest } signature { algorithm keyId value }`;
const DECIDE = `mutation ($input: DecideConsentInput!) {
  decideConsent(input: $input) { draft outcome consent { ${CONSENT} } } }`;
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

const proposal = { code: SAMPLE_COMPANY_CODE, product: 'xyd-standard', purpose: 'LOAN_ORIGINATION' };
async function prepare(change: object = {}, as: Principal = bank) {
  const reply = await consent.ask(as, PREPARE, { input: { ...proposal, ...change } });
  return { draft: reply.data?.prepareConsent, error: reply.errors?.[0]?.extensions };
}
async function decide(
  draft: { id: string; items: { item: string }[] },
  change: object = {},
  as: Principal = owner,
) {
  const items = draft.items.map(({ item }) => ({ item, accept: true }));
  const reply = await consent.ask(as, DECIDE, { input: { draft: draft.id, items, ...change } });
  return { decision: reply.data?.decideConsent, error: reply.errors?.[0]?.extensions };
}
const mayAsk = (...items: string[]) => ({ items: ['finance.assessment', ...items] });

describe('a draft', () => {
  it('asks for the fewest items that the product needs, and shows its text, terms and consequences', async () => {
    const { draft } = await prepare();
    expect(draft).toMatchObject({
      subject: SAMPLE,
      consumer: 'bank-a',
      state: 'OPEN',
      channel: 'PUBLIC_CREDIT_PLATFORM',
      dataLifeDays: 31,
      frequency: { times: 1, per: 'CONSENT' },
      items: [
        {
          item: 'finance.assessment',
          sensitivity: 'L3',
          isPersonal: false,
          isSensitive: false,
          isWritten: false,
        },
      ],
    });
    expect(draft.text.zh).toContain(SAMPLE_COMPANY_CODE);
    expect(draft.text.zh).toContain('撤销立即生效');
    expect(draft.text.zh).toContain(draft.consequencesZh);
    const { version, zh, en, digest } = draft.text;
    expect(digest).toBe(`sm3:${digestOf({ version, zh, en })}`);
    expect(draft.items[0].basis.length).toBeGreaterThan(0);
    // Its subject sees the same; another subject, another bank and one who makes up an id see nothing.
    expect((await consent.ask(owner, PREVIEW, { id: draft.id })).data.consentDraft).toEqual(draft);
    for (const [as, id] of [
      [citizen, draft.id],
      [otherBank, draft.id],
      [owner, 'x'],
      [owner, SAMPLE],
    ] as const)
      expect((await consent.ask(as, PREVIEW, { id })).data).toEqual({ consentDraft: null });
  });

  it('is the same for a company that does not exist, at the same cost', async () => {
    const cost = async (code: string) => {
      const before = consent.calls();
      const { draft } = await prepare({ code });
      const shape = JSON.stringify({ ...draft, id: '', preparedAt: '', openUntil: '', expiresAt: '' })
        .replaceAll(code, '')
        .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '')
        .replace(/sm3:[0-9a-f]+/g, '');
      return { calls: consent.calls() - before, shape };
    };
    // Neither is in any register of this test: it has none. One statement, which writes the draft.
    const known = await cost(SAMPLE_COMPANY_CODE);
    expect(await cost('91120116MA9TYN024H')).toEqual(known);
    expect(known.calls).toBe(1);
  });

  it('of a person is by the opaque id, goes through a licensed bureau, and tells the bank nothing of an age', async () => {
    const [adult, child] = [
      await prepare({ code: undefined, subject: CITIZEN }),
      await prepare({ code: undefined, subject: MINOR }),
    ];
    for (const { draft } of [adult, child]) {
      expect(draft).toMatchObject({
        channel: 'LICENSED_BUREAU',
        items: [{ isPersonal: true, isSensitive: false }],
      });
      expect(draft.text.zh).not.toMatch(/\d{6}(19|20)\d{6}|P1-/);
    }
    expect(child.draft.items).toEqual(adult.draft.items);
    const seen = await consent.ask(guardian, PREVIEW, { id: child.draft.id });
    expect(seen.data.consentDraft.items[0]).toMatchObject({ isSensitive: true });
  });

  it.each<[string, object]>([
    ['subject', { code: undefined }],
    ['subject', { subject: SAMPLE }],
    ['subject', { code: undefined, subject: 'P1-AAAA' }],
    ['product', { product: 'xyd-unknown' }],
    ['purpose', { purpose: 'LOAN_MONITORING' }],
    ['purpose', { product: 'xyd-monitoring' }],
    ['items', { items: ['tax.grade', 'subjects.identity'] }],
    ['items', { items: [] }],
    ['items', { items: ['finance.nothing'] }],
    ['channel', { code: undefined, subject: CITIZEN, channel: 'PUBLIC_CREDIT_PLATFORM' }],
    ['expiresAt', { terms: { expiresAt: '2199-01-01T00:00:00Z' } }],
    ['dataLifeDays', { terms: { dataLifeDays: 32 } }],
    // Of purpose and product the stricter counts.
    ['dataLifeDays', { product: 'xyd-micro', terms: { dataLifeDays: 15 } }],
    ['frequency', { terms: { frequency: { times: 2, per: 'CONSENT' } } }],
    ['periodFrom', { terms: { periodFrom: '2001-01-01' } }],
  ])('is refused with the name of %s for %j', async (attribute, change) => {
    expect(await prepare(change)).toMatchObject({ draft: null, error: { code: 'INVALID_INPUT', attribute } });
  });

  it('is for banks, and is one of at most twenty open ones of a bank with a subject', async () => {
    expect((await prepare({}, owner)).error).toMatchObject({ code: 'FORBIDDEN', item: 'consent.prepare' });
    const patient: Principal = { ...bank, id: 'bank-many' };
    for (let at = 0; at < 20; at += 1) expect((await prepare({}, patient)).error).toBeUndefined();
    expect((await prepare({}, patient)).error).toMatchObject({ code: 'INVALID_INPUT', attribute: 'subject' });
    expect((await prepare({ code: '91120116MA9TYN024H' }, patient)).error).toBeUndefined();
  });
});

describe('a decision', () => {
  it('gives a consent to what was accepted, records what was refused, and is made once', async () => {
    const { draft } = await prepare(mayAsk('tax.grade'));
    const items = [
      { item: 'finance.assessment', accept: true },
      { item: 'tax.grade', accept: false },
    ];
    const { decision } = await decide(draft, { items });
    expect(decision).toMatchObject({
      outcome: 'GRANTED',
      consent: {
        draft: draft.id,
        items: ['finance.assessment'],
        refusedItems: ['tax.grade'],
        state: 'ACTIVE',
        givenBy: 'SELF',
        product: 'xyd-standard',
      },
    });
    // The text that was agreed to names only what was accepted; the artefact holds the digests of both.
    expect(decision.consent.text.zh).not.toContain('tax.grade');
    const artefact = JSON.parse(decision.consent.artefact as string) as Record<string, unknown>;
    expect(artefact).toMatchObject({
      kind: 'jinxin-consent',
      subject: SAMPLE,
      decisions: [
        { item: 'finance.assessment', accepted: true },
        { item: 'tax.grade', accepted: false },
      ],
      text: { digest: decision.consent.text.digest, proposed: draft.text.digest },
      givenBy: { as: 'SELF', authorisation: null },
    });
    expect((await decide(draft, { items })).error).toMatchObject({
      code: 'INVALID_INPUT',
      attribute: 'draft',
    });
    const after = await consent.ask(bank, PREVIEW, { id: draft.id });
    expect(after.data.consentDraft).toMatchObject({ state: 'GRANTED', consent: decision.consent.id });
  });

  it('made by two at the same moment is made by one', async () => {
    const { draft } = await prepare();
    const both = await Promise.all([decide(draft), decide(draft)]);
    expect(both.map(({ decision }) => decision?.outcome ?? null).sort()).toEqual(['GRANTED', null].sort());
  });

  it('against every item is a refusal, which is recorded and needs no tick', async () => {
    const { draft } = await prepare(mayAsk('tax.amount'));
    const items = draft.items.map(({ item }: { item: string }) => ({ item, accept: false }));
    expect((await decide(draft, { items })).decision).toEqual({
      draft: draft.id,
      outcome: 'REFUSED',
      consent: null,
    });
    expect((await decide(draft)).error).toMatchObject({ attribute: 'draft' });
    expect((await consent.ask(bank, PREVIEW, { id: draft.id })).data.consentDraft.state).toBe('REFUSED');
  });

  it.each([
    ['a missing item', [{ item: 'finance.assessment', accept: true }]],
    [
      'an item twice',
      [
        { item: 'finance.assessment', accept: true },
        { item: 'finance.assessment', accept: false },
      ],
    ],
    [
      'another item',
      [
        { item: 'finance.assessment', accept: true },
        { item: 'tax.amount', accept: true },
      ],
    ],
    ['nothing', []],
  ])('with %s decides nothing', async (_, items) => {
    const { draft } = await prepare(mayAsk('tax.grade'));
    expect((await decide(draft, { items })).error).toMatchObject({
      code: 'INVALID_INPUT',
      attribute: 'items',
    });
    expect((await consent.ask(owner, PREVIEW, { id: draft.id })).data.consentDraft.state).toBe('OPEN');
  });

  it.each([
    ['acknowledgesPersonal', 'courts.restricted-person'],
    ['acknowledgesWritten', 'tax.amount'],
  ])('needs the tick %s for %s, and only where that is accepted', async (tick, item) => {
    const { draft } = await prepare(mayAsk(item));
    expect((await decide(draft)).error).toMatchObject({ code: 'INVALID_INPUT', attribute: tick });
    const others = ['acknowledgesPersonal', 'acknowledgesSensitive', 'acknowledgesWritten'].filter(
      (one) => one !== tick,
    );
    expect((await decide(draft, Object.fromEntries(others.map((one) => [one, true])))).error).toMatchObject({
      attribute: tick,
    });
    const without = [
      { item: 'finance.assessment', accept: true },
      { item, accept: false },
    ];
    expect((await decide(draft, { items: without })).error).toBeUndefined();
    const again = (await prepare(mayAsk(item))).draft;
    const { decision } = await decide(again, { [tick]: true });
    expect(decision.consent).toMatchObject({
      items: ['finance.assessment', item],
      writtenItems: tick === 'acknowledgesWritten' ? [item] : [],
    });
  });

  it('may be narrower than the draft, and never wider', async () => {
    const { draft } = await prepare();
    const narrower = { expiresAt: new Date(consent.now() + 2 * DAY).toISOString(), dataLifeDays: 3 };
    for (const [attribute, terms] of [
      ['expiresAt', { expiresAt: new Date(Date.parse(draft.expiresAt) + 1000).toISOString() }],
      ['periodFrom', { periodFrom: '2020-01-01' }],
      ['periodUntil', { periodUntil: '2030-01-01' }],
      ['dataLifeDays', { dataLifeDays: 32 }],
      ['frequency', { frequency: { times: 1, per: 'DAY' } }],
    ] as const)
      expect((await decide(draft, { terms })).error).toMatchObject({ code: 'INVALID_INPUT', attribute });
    const { decision } = await decide(draft, { terms: narrower });
    expect(decision.consent).toMatchObject({
      ...narrower,
      // It covers no day after its end.
      periodUntil: narrower.expiresAt.slice(0, 10),
    });
    expect(decision.consent.text.digest).not.toBe(draft.text.digest);
  });
});

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
