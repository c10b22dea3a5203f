/** What the gateway relies on: a consent is used as often as it says and no more, whoever asks at the same moment. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import pg from 'pg';
import { CONFIRMATION_HOLDS_MS } from '../../schema/consent.ts';
import type { ConsentKit } from '../../tests/kit/consent.ts';
import { DAY, gateway, grantInput, owner, SAMPLE, startConsent } from '../../tests/kit/consent.ts';
import type { TestDatabases } from '../../tests/kit/postgres.ts';
import { createTestDatabases } from '../../tests/kit/postgres.ts';
import { periodsOf } from './register.ts';

const GRANT = 'mutation ($input: GrantConsentInput!) { grantConsent(input: $input) { id } }';
const ACTIVE = `query ($purpose: Purpose!, $subjects: [SubjectId!]!, $request: String) {
  activeConsents(consumer: "bank-a", purpose: $purpose, subjects: $subjects, request: $request) {
    id subject items writtenItems givenBy expiresAt periodFrom periodUntil channel } }`;
const CONFIRM = `mutation ($ids: [ID!]!, $consumer: String!, $request: String!, $digest: String!) {
  confirmConsents(ids: $ids, consumer: $consumer, request: $request, digest: $digest) { held refused { id reason } } }`;
const move = (verb: string) => `mutation ($id: ID!) { ${verb}Consent(id: $id) { id state } }`;
const NOBODYS = '00000000-0000-4000-8000-000000000000';

let databases: TestDatabases;
let database: pg.Client;
/** Two processes of the department on one register. */
let one: ConsentKit;
let other: ConsentKit;
/** Consents by the moment at which a withdrawal was committed and the department began to wait. */
const slept: number[] = [];
let purpose = 'LOAN_ORIGINATION';

beforeAll(async () => {
  databases = createTestDatabases();
  const url = await databases.url('platform');
  const environment = {
    JINXIN_PLATFORM_URL: url,
    JINXIN_ENVIRONMENT: 'sandbox',
    JINXIN_CONSENT_SANDBOX_GRANTS: 'bank-a:LOAN_ORIGINATION',
  };
  one = await startConsent(environment);
  other = await startConsent(environment);
  database = new pg.Client({ connectionString: url });
  await database.connect();
});
afterAll(async () => {
  await database.end();
  await Promise.all([one.close(), other.close()]);
  await databases.close();
});

async function grant(change: object = {}): Promise<string> {
  const reply = await one.ask(owner, GRANT, { input: { ...grantInput(one.now()), ...change } });
  expect(reply.errors).toBeUndefined();
  return reply.data.grantConsent.id as string;
}
const monitoring = (frequency: object) => ({
  purpose: 'LOAN_MONITORING',
  frequency,
  periodFrom: new Date(one.now() - 100 * DAY).toISOString().slice(0, 10),
});
let requests = 0;
const fresh = () => `request-${(requests += 1)}`;
async function confirm(ids: readonly string[], change: object = {}, at: ConsentKit = one) {
  const variables = { ids, consumer: 'bank-a', request: fresh(), digest: 'sm3:a', ...change };
  return at.ask(gateway, CONFIRM, variables);
}
const outcomeOf = async (id: string, change: object = {}, at: ConsentKit = one) => {
  const { held, refused } = (await confirm([id], change, at)).data.confirmConsents;
  return held.includes(id) ? 'HELD' : (refused[0].reason as string);
};
const active = async (request: string | null = null) => {
  const reply = await one.ask(gateway, ACTIVE, { purpose, subjects: [SAMPLE], request });
  return reply.data.activeConsents as { id: string; items: string[] }[];
};
const isActive = async (id: string, request: string | null = null) =>
  (await active(request)).some((found) => found.id === id);

describe('a confirmation', () => {
  it('holds for its consumer, in one statement, and says of every other consent why not', async () => {
    const [good, foreign, paused, revoked] = [
      await grant(),
      await grant({ consumer: 'bank-b' }),
      await grant(),
      await grant(),
    ];
    await one.ask(owner, move('pause'), { id: paused });
    await one.ask(owner, move('revoke'), { id: revoked });
    const before = one.calls();
    const { data } = await confirm([good, foreign, paused, revoked, NOBODYS, 'nonsense']);
    expect(one.calls() - before).toBe(1);
    expect(data.confirmConsents).toEqual({
      held: [good],
      refused: [
        { id: foreign, reason: 'UNKNOWN' },
        { id: paused, reason: 'PAUSED' },
        { id: revoked, reason: 'REVOKED' },
        { id: NOBODYS, reason: 'UNKNOWN' },
        { id: 'nonsense', reason: 'UNKNOWN' },
      ],
    });
  });

  it('is refused when the consent would expire while it is relied on', async () => {
    const id = await grant({
      expiresAt: new Date(one.now() + DAY).toISOString(),
      frequency: { times: 1, per: 'CONSENT' },
    });
    one.travel(DAY - CONFIRMATION_HOLDS_MS);
    expect(await outcomeOf(id)).toBe('EXPIRED');
  });

  it('counts one use for a request, however often and wherever it is confirmed', async () => {
    const id = await grant();
    const request = fresh();
    const outcomes = await Promise.all(
      Array.from({ length: 12 }, (_, at) => outcomeOf(id, { request }, at % 2 === 0 ? one : other)),
    );
    expect(new Set(outcomes)).toEqual(new Set(['HELD']));
    const { rows } = await database.query('SELECT use_count FROM consent.artefact WHERE id = $1', [id]);
    expect(rows).toEqual([{ use_count: 1 }]);
    expect(await outcomeOf(id)).toBe('FREQUENCY');
  });

  it('takes a request that is repeated a day later as a new one', async () => {
    const id = await grant();
    const request = fresh();
    expect(await outcomeOf(id, { request })).toBe('HELD');
    one.travel(DAY + 1_000);
    expect(await outcomeOf(id, { request })).toBe('FREQUENCY');
  });

  it('refuses a request that comes again with another content, and counts nothing', async () => {
    const [first, second] = [await grant(), await grant()];
    const request = fresh();
    expect(await outcomeOf(first, { request, digest: 'sm3:a' })).toBe('HELD');
    // Another content that needs another consent is another content all the same.
    for (const ids of [[first], [second]]) {
      const { data, errors } = await confirm(ids, { request, digest: 'sm3:b' });
      expect([data, errors?.[0]?.extensions['code']]).toEqual([null, 'IDEMPOTENCY_CONFLICT']);
    }
    expect(await outcomeOf(second)).toBe('HELD');
  });

  it('of two contents under one key at the same moment lets one pass', async () => {
    const ids = [await grant(), await grant()];
    const request = fresh();
    const replies = await Promise.all(
      ids.map((id, at) => confirm([id], { request, digest: `sm3:${at}` }, at === 0 ? one : other)),
    );
    expect(replies.map(({ errors }) => errors?.[0]?.extensions['code'] ?? 'HELD').sort()).toEqual([
      'HELD',
      'IDEMPOTENCY_CONFLICT',
    ]);
  });

  it('is never given oftener than the frequency allows, to clients that ask all at once in two processes', async () => {
    for (const times of [1, 2, 5]) {
      const id = await grant(monitoring({ times, per: 'CONSENT' }));
      const outcomes = await Promise.all(
        Array.from({ length: times * 3 + 1 }, (_, at) => outcomeOf(id, {}, at % 2 === 0 ? one : other)),
      );
      expect(outcomes.filter((outcome) => outcome === 'HELD')).toHaveLength(times);
      expect(new Set(outcomes)).toEqual(new Set(['HELD', 'FREQUENCY']));
    }
  });

  it('of several consents in any order never waits for another in a ring', async () => {
    const ids = await Promise.all(
      Array.from({ length: 6 }, () => grant(monitoring({ times: 5, per: 'MONTH' }))),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.shuffledSubarray(ids, { minLength: 2 }), { minLength: 8, maxLength: 8 }),
        async (orders) => {
          const replies = await Promise.all(
            orders.map((order, at) => confirm(order, {}, at % 2 === 0 ? one : other)),
          );
          expect(replies.map(({ errors }) => errors)).toEqual(orders.map(() => undefined));
        },
      ),
      { numRuns: 8 },
    );
    const { rows } = await database.query(
      'SELECT count(*)::int AS uses FROM consent.use WHERE consent_id = ANY($1::uuid[]) GROUP BY consent_id',
      [ids],
    );
    expect(rows.every(({ uses }: { uses: number }) => uses <= 5)).toBe(true);
  });

  it('neither counts nor locks the standing grants of a sandbox', async () => {
    const [standing] = (await active()).filter(({ items }) => items.includes('*'));
    expect(standing).toMatchObject({
      writtenItems: ['*'],
      givenBy: 'SELF',
      channel: 'PUBLIC_CREDIT_PLATFORM',
    });
    const id = standing?.id ?? '';
    await database.query('BEGIN');
    await database.query('SELECT FROM consent.artefact WHERE id = $1 FOR UPDATE', [id]);
    const request = fresh();
    expect(await outcomeOf(id, { request })).toBe('HELD');
    // It leaves no trace of the request either.
    expect(await outcomeOf(id, { request, digest: 'sm3:other' })).toBe('HELD');
    await database.query('ROLLBACK');
    expect(await outcomeOf(id, { consumer: 'bank-b' })).toBe('UNKNOWN');
  });

  it('fails, and holds nothing, when the register cannot be read', async () => {
    const alone = await startConsent({ JINXIN_PLATFORM_URL: 'postgres://nobody@127.0.0.1:1/none' });
    const { data, errors } = await confirm([NOBODYS], {}, alone);
    await alone.close();
    expect([data, errors?.[0]?.extensions['code']]).toEqual([null, 'DEPARTMENT_UNAVAILABLE']);
  });
});

describe('the consents in force', () => {
  it('leave out one that is used up, except for the request that used it', async () => {
    const id = await grant();
    const request = fresh();
    expect(await isActive(id)).toBe(true);
    expect(await outcomeOf(id, { request })).toBe('HELD');
    expect([await isActive(id), await isActive(id, 'another'), await isActive(id, request)]).toEqual([
      false,
      false,
      true,
    ]);
  });

  it('have it back when the next month begins in China', async () => {
    purpose = 'LOAN_MONITORING';
    const id = await grant({
      ...monitoring({ times: 1, per: 'MONTH' }),
      expiresAt: new Date(one.now() + 60 * DAY).toISOString(),
    });
    expect([await outcomeOf(id), await outcomeOf(id), await isActive(id)]).toEqual([
      'HELD',
      'FREQUENCY',
      false,
    ]);
    const { month } = periodsOf(one.now());
    const next = periodsOf(month + 32 * DAY).month;
    one.travel(next - one.now() - 2_000);
    expect(await isActive(id)).toBe(false);
    one.travel(3_000);
    expect(await isActive(id)).toBe(true);
    expect(await outcomeOf(id)).toBe('HELD');
  });
});

describe('a withdrawal', () => {
  it.each(['revoke', 'pause'])(
    'by %s is acknowledged when no earlier confirmation is relied on any more',
    async (verb) => {
      slept.length = 0;
      let finish: () => void = () => {};
      const waiting = new Promise<void>((resolve) => (finish = resolve));
      let begun: () => void = () => {};
      const committed = new Promise<void>((resolve) => (begun = resolve));
      const slow = await startConsent(
        { JINXIN_PLATFORM_URL: await databases.url('platform') },
        (ms, signal) => {
          // The purge sleeps by a signal, an acknowledgement does not let itself be cut short.
          if (signal)
            return new Promise((_, reject) =>
              signal.addEventListener('abort', () => reject(new Error('ended'))),
            );
          slept.push(ms);
          begun();
          return waiting;
        },
      );
      const id = await grant({
        ...monitoring({ times: 5, per: 'MONTH' }),
        expiresAt: new Date(one.now() + 20 * DAY).toISOString(),
      });
      let isAcknowledged = false;
      const reply = slow.ask(owner, move(verb), { id }).finally(() => (isAcknowledged = true));
      await committed;
      // Committed, so that nothing new rests on it; not yet acknowledged, because something older may.
      expect(await outcomeOf(id)).toBe(verb === 'revoke' ? 'REVOKED' : 'PAUSED');
      expect([isAcknowledged, slept.length]).toEqual([false, 1]);
      expect(slept[0]).toBeGreaterThan(CONFIRMATION_HOLDS_MS);
      finish();
      expect((await reply).errors).toBeUndefined();
      await slow.close();
    },
  );

  it('waits for a confirmation under way, and a confirmation that comes second finds it', async () => {
    const id = await grant({
      ...monitoring({ times: 5, per: 'MONTH' }),
      expiresAt: new Date(one.now() + 20 * DAY).toISOString(),
    });
    const outcomes = await Promise.all([
      ...Array.from({ length: 4 }, () => outcomeOf(id)),
      one.ask(owner, move('revoke'), { id }).then(() => 'ACKNOWLEDGED'),
    ]);
    expect(outcomes.every((outcome) => ['HELD', 'REVOKED', 'ACKNOWLEDGED'].includes(outcome))).toBe(true);
    expect(await outcomeOf(id)).toBe('REVOKED');
  });

  it('can be asked for again by whoever lost the answer, and keeps its first moment', async () => {
    const id = await grant();
    const revoke = 'mutation ($id: ID!) { revokeConsent(id: $id) { state revokedAt } }';
    const first = await one.ask(owner, revoke, { id });
    one.travel(60_000);
    expect((await one.ask(owner, revoke, { id })).data).toEqual(first.data);
  });
});

describe('the day and the month', () => {
  it('begin when they begin in China', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('2020-01-01'), max: new Date('2040-01-01'), noInvalidDate: true }),
        (date) => {
          const { day, month } = periodsOf(date.getTime());
          const of = (ms: number) =>
            new Intl.DateTimeFormat('en-CA', { timeZone: 'Asia/Shanghai' }).format(ms);
          expect([of(day), of(day - 1) < of(day), of(month).slice(8)]).toEqual([
            of(date.getTime()),
            true,
            '01',
          ]);
          expect(of(month).slice(0, 7)).toBe(of(date.getTime()).slice(0, 7));
        },
      ),
    );
  });
});
