/** What time does to drafts and consents, on a clock that the test moves, with two processes that purge at the same moment. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { pino } from 'pino';
import { createPool } from '../../adapters/postgres/pool.ts';
import type { ConsentKit } from '../../tests/kit/consent.ts';
import { bank, DAY, gateway, grantInput, owner, startConsent } from '../../tests/kit/consent.ts';
import type { TestDatabases } from '../../tests/kit/postgres.ts';
import { createTestDatabases } from '../../tests/kit/postgres.ts';
import { createStandingClock } from '../../tests/kit/standing-clock.ts';
import type { Purged } from './purge.ts';
import { purge, startPurging } from './purge.ts';

const POLICY = { retentionDays: 1_826, lapsedDraftDays: 1 };
const GRANT = 'mutation ($input: GrantConsentInput!) { grantConsent(input: $input) { id } }';
const PREPARE = `mutation { prepareConsent(input: {
  code: "91120101MA9TYN016Y", product: "xyd-standard", purpose: LOAN_ORIGINATION }) { id } }`;
const READ = `query ($id: ID!) { consent(id: $id) {
  id items writtenItems artefact text { zh digest } digest signature { value } periodFrom state } }`;

let databases: TestDatabases;
let pools: readonly pg.Pool[];
let consent: ConsentKit;
beforeAll(async () => {
  databases = createTestDatabases();
  const url = await databases.url('platform');
  // Its own purge runs once, before there is anything; afterwards the test purges.
  consent = await startConsent({ JINXIN_PLATFORM_URL: url, JINXIN_CONSENT_PURGE_EVERY_MS: '2000000000' });
  const log = pino({ enabled: false });
  pools = [1, 2].map((at) => createPool({ url, max: 2, applicationName: `purge-${at}`, log }));
});
afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.end()));
  await consent.close();
  await databases.close();
});

/** Purges in two processes at once; the rows that both changed together. */
async function purgeTwice(now: number): Promise<Purged> {
  const [one, other] = await Promise.all(pools.map((pool) => purge(pool, POLICY, now)));
  if (!one || !other) throw new Error('there are two processes');
  const names = Object.keys(one) as (keyof Purged)[];
  return Object.fromEntries(names.map((name) => [name, one[name] + other[name]])) as unknown as Purged;
}
const grant = async (change: object = {}) => {
  const reply = await consent.ask(owner, GRANT, { input: { ...grantInput(consent.now()), ...change } });
  return reply.data.grantConsent.id as string;
};
const noticesOf = async (id: string) => {
  const { rows } = await (pools[0] as pg.Pool).query<{ kind: string }>(
    'SELECT kind FROM consent.notice WHERE consent_id = $1 OR draft_id = $1 ORDER BY seq',
    [id],
  );
  return rows.map(({ kind }) => kind);
};
const NOTHING = { expired: 0, deletionsDue: 0, drafts: 0, contents: 0, notices: 0 };

describe('the end of a consent', () => {
  it('is told once when it expires, and once more when the data have to be deleted', async () => {
    const start = consent.now();
    const id = await grant({ expiresAt: new Date(start + 2 * DAY).toISOString(), dataLifeDays: 7 });
    expect(await purgeTwice(start + DAY)).toEqual(NOTHING);
    expect(await purgeTwice(start + 2 * DAY + 1)).toEqual({ ...NOTHING, expired: 1 });
    expect(await purgeTwice(start + 8 * DAY)).toEqual(NOTHING);
    expect(await purgeTwice(start + 9 * DAY + 1)).toEqual({ ...NOTHING, deletionsDue: 1 });
    expect(await purgeTwice(start + 10 * DAY)).toEqual(NOTHING);
    expect(await noticesOf(id)).toEqual(['GRANTED', 'EXPIRED', 'DELETION_DUE']);
  });

  it('by revocation begins the data life, and is not told as an expiry later', async () => {
    const start = consent.now();
    const id = await grant({ dataLifeDays: 3 });
    await consent.ask(owner, 'mutation ($id: ID!) { revokeConsent(id: $id) { id } }', { id });
    expect(await purgeTwice(start + 2.9 * DAY)).toEqual(NOTHING);
    expect(await purgeTwice(start + 3 * DAY + 60_000)).toEqual({ ...NOTHING, deletionsDue: 1 });
    expect(await purgeTwice(start + 40 * DAY)).toEqual(NOTHING);
    expect(await noticesOf(id)).toEqual(['GRANTED', 'REVOKED', 'DELETION_DUE']);
  });

  it('leaves, when the retention is over, digests and signature and nothing of what was agreed', async () => {
    const id = await grant({ items: ['tax.grade'] });
    const confirm =
      'mutation ($ids: [ID!]!) { confirmConsents(ids: $ids, consumer: "bank-a", request: "r", digest: "d") { held } }';
    expect((await consent.ask(gateway, confirm, { ids: [id] })).data.confirmConsents.held).toEqual([id]);
    const before = (await consent.ask(owner, READ, { id })).data.consent;
    expect(before).toMatchObject({ items: ['tax.grade'], artefact: expect.stringContaining('tax.grade') });
    const due = consent.now() + 100 * DAY;
    await purgeTwice(due);
    await purgeTwice(due + 1_825 * DAY);
    expect((await consent.ask(owner, READ, { id })).data.consent).toEqual(before);
    expect((await purgeTwice(due + 1_827 * DAY)).contents).toBeGreaterThan(0);
    expect((await consent.ask(owner, READ, { id })).data.consent).toEqual({
      id,
      items: [],
      writtenItems: [],
      artefact: null,
      text: { zh: null, digest: before.text.digest },
      digest: before.digest,
      signature: before.signature,
      periodFrom: null,
      state: 'ACTIVE',
    });
    const { rows } = await (pools[0] as pg.Pool).query(
      `SELECT granted_by, mark_salt, text_en, (SELECT count(*)::int FROM consent.use WHERE consent_id = id) AS uses
       FROM consent.artefact WHERE id = $1`,
      [id],
    );
    expect(rows).toEqual([{ granted_by: '', mark_salt: null, text_en: null, uses: 0 }]);
  });
});

describe('a draft', () => {
  it('that nobody decided lapses, cannot be decided then, and is deleted', async () => {
    const start = consent.now();
    const { data } = await consent.ask(bank, PREPARE, {});
    const { id } = data.prepareConsent as { id: string };
    const state = async () =>
      (await consent.ask(owner, 'query ($id: ID!) { consentDraft(id: $id) { state } }', { id })).data
        .consentDraft as { state: string } | null;
    expect((await purgeTwice(start + 13 * DAY)).drafts).toBe(0);
    consent.travel(14 * DAY + 1);
    expect(await state()).toEqual({ state: 'LAPSED' });
    const decide = 'mutation ($input: DecideConsentInput!) { decideConsent(input: $input) { outcome } }';
    const items = [{ item: 'finance.assessment', accept: true }];
    const late = await consent.ask(owner, decide, { input: { draft: id, items } });
    expect(late.errors?.[0]?.extensions).toMatchObject({ code: 'INVALID_INPUT', attribute: 'draft' });
    expect((await purgeTwice(start + 15 * DAY + 60_000)).drafts).toBe(1);
    expect(await state()).toBeNull();
  });
});

describe('the purge', () => {
  it('runs at once and then at its interval, goes on after a failure, and ends when it is told', async () => {
    const clock = createStandingClock();
    let runs = 0;
    const purging = startPurging(
      () => {
        runs += 1;
        return runs === 1 ? Promise.reject(new Error('down')) : Promise.resolve(NOTHING);
      },
      { clock, everyMs: 1_000, log: pino({ enabled: false }) },
    );
    await clock.pass(0);
    expect(runs).toBe(1);
    await clock.pass(999);
    expect(runs).toBe(1);
    await clock.pass(1);
    expect(runs).toBe(2);
    await purging.close();
    await clock.pass(10_000);
    expect(runs).toBe(2);
  });
});
