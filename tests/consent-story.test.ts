/** A bank's draft, the company's decision, one check, and the end of it: through the gateway, as both sides see it. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SAMPLE_COMPANY_CODE } from '../schema/sandbox-tokens.ts';
import type { Platform } from './kit/platform.ts';
import { startPlatform } from './kit/platform.ts';

let platform: Platform;
beforeAll(async () => {
  platform = await startPlatform({ scale: 60 });
}, 120_000);
afterAll(async () => {
  await platform.close();
});

const DRAFT = `{ id state consumer items { item nameZh isPersonal isWritten basis } text { zh digest } frequency { times per } }`;
const PREPARE = `mutation ($input: PrepareConsentInput!) { prepareConsent(input: $input) ${DRAFT} }`;
const PREVIEW = `query ($id: ID!) { consentDraft(id: $id) ${DRAFT} }`;
const DECIDE = `mutation ($input: DecideConsentInput!) {
  decideConsent(input: $input) { outcome consent { id state items signature { algorithm value } artefact } } }`;
const CHECK = `{ creditCheck(input: { subject: "${SAMPLE_COMPANY_CODE}" }) { completeness sources { department status } } }`;

describe('a bank that wants to check a company', () => {
  it('drafts, waits for the company, checks once, and can prove what it was allowed', async () => {
    const before = platform.simulators.calls();
    const input = { code: SAMPLE_COMPANY_CODE, product: 'xyd-standard', purpose: 'LOAN_ORIGINATION' };
    const prepared = await platform.ask({ as: 'bank-b', query: PREPARE, variables: { input } });
    expect(prepared.errors).toEqual([]);
    const draft = prepared.data.prepareConsent as { id: string; items: { item: string }[] };
    expect(draft).toMatchObject({ state: 'OPEN', items: [{ item: 'finance.assessment' }] });
    // Not a department was asked anything, and the bank sees no more than before.
    expect(Object.values(platform.callsSince(before)).every((calls) => calls === 0)).toBe(true);
    const early = await platform.ask({ as: 'bank-b', query: CHECK });
    expect(early.data.creditCheck.sources).toBeNull();

    const preview = await platform.ask({ as: 'company-owner', query: PREVIEW, variables: { id: draft.id } });
    expect(preview.data.consentDraft).toEqual(draft);
    const stranger = await platform.ask({ as: 'citizen', query: PREVIEW, variables: { id: draft.id } });
    expect(stranger.data.consentDraft).toBeNull();

    const items = draft.items.map(({ item }) => ({ item, accept: true }));
    const decided = await platform.ask({
      as: 'company-owner',
      query: DECIDE,
      variables: { input: { draft: draft.id, items } },
    });
    expect(decided.errors).toEqual([]);
    const { consent } = decided.data.decideConsent as { consent: { id: string } };
    expect(consent).toMatchObject({
      state: 'ACTIVE',
      items: ['finance.assessment'],
      signature: { algorithm: 'SM2-SM3' },
    });

    const checked = await platform.ask({ as: 'bank-b', query: CHECK });
    expect(checked.errors).toEqual([]);
    expect(checked.data.creditCheck.completeness).toBe(1);
    const copy = `query ($id: ID!) { consent(id: $id) { id state items uses signature { algorithm value } artefact } }`;
    for (const as of ['bank-b', 'company-owner', 'auditor'] as const) {
      const { data } = await platform.ask({ as, query: copy, variables: { id: consent.id } });
      expect(data.consent).toEqual({ ...consent, uses: 1 });
    }
    const others = await platform.ask({ as: 'bank-a', query: copy, variables: { id: consent.id } });
    expect(others.data.consent).toBeNull();
  });

  it('is refused a second check by the frequency, and can read what it was told', async () => {
    const again = await platform.ask({ as: 'bank-b', query: CHECK });
    expect([again.data.creditCheck.sources, again.errors[0]?.extensions['code']]).toEqual([
      null,
      'CONSENT_REQUIRED',
    ]);
    const notices = await platform.ask({
      as: 'bank-b',
      query: '{ consentNotices { cursor notices { kind } } }',
    });
    expect(notices.errors).toEqual([]);
    expect(notices.data.consentNotices.notices.map(({ kind }: { kind: string }) => kind)).toEqual(
      ['PREPARED', 'GRANTED', 'USED_UP'].slice(0, notices.data.consentNotices.notices.length),
    );
  });

  it('sees nothing of what is inside the platform', async () => {
    for (const query of [
      '{ activeConsents(consumer: "bank-a", purpose: LOAN_ORIGINATION, subjects: []) { id } }',
      'mutation { confirmConsents(ids: [], consumer: "bank-a", request: "r", digest: "d") { held } }',
    ]) {
      const reply = await platform.ask({ as: 'bank-b', query });
      expect([reply.data, reply.errors[0]?.extensions['code']]).toEqual([undefined, 'INVALID_OPERATION']);
    }
  });
});
