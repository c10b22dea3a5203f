/** What a bank may propose, and what the subject makes of it. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { digestOf } from '../../schema/canonical.ts';
import type { Principal } from '../../schema/principal.ts';
import { SAMPLE_COMPANY_CODE } from '../../schema/sandbox-tokens.ts';
import type { ConsentKit } from '../../tests/kit/consent.ts';
import {
  bank,
  citizen,
  CITIZEN,
  DAY,
  decideConsent,
  guardian,
  MINOR,
  owner,
  prepareConsent,
  PREVIEW,
  SAMPLE,
  startConsent,
} from '../../tests/kit/consent.ts';
import type { TestDatabases } from '../../tests/kit/postgres.ts';
import { createTestDatabases } from '../../tests/kit/postgres.ts';

const otherBank: Principal = { ...bank, id: 'bank-b' };

let databases: TestDatabases;
let consent: ConsentKit;
beforeAll(async () => {
  databases = createTestDatabases();
  const url = await databases.url('platform');
  consent = await startConsent({ JINXIN_PLATFORM_URL: url, JINXIN_ENVIRONMENT: 'production' });
});
afterAll(async () => {
  await consent.close();
  await databases.close();
});

type Change = Parameters<typeof prepareConsent>[1];
const prepare = (change?: Change, as?: Principal) => prepareConsent(consent, change, as);
const decide = (draft: Parameters<typeof decideConsent>[1], change?: object, as?: Principal) =>
  decideConsent(consent, draft, change, as);
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
