import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import pg from 'pg';
import type { AuditRecord } from '../../gateway/evidence/audit-record.ts';
import type { Principal } from '../../schema/principal.ts';
import { PRINCIPAL_KINDS, PURPOSES } from '../../schema/purpose.ts';
import { appendRecords, createEvidenceTables, createRecord } from '../../tests/kit/evidence.ts';
import { toCursor } from '../pages.ts';
import type { PlatformDepartment } from '../../tests/kit/platform-department.ts';
import { startPlatformDepartment, testSubjectIds } from '../../tests/kit/platform-department.ts';
import type { TestDatabases } from '../../tests/kit/postgres.ts';
import { createTestDatabases } from '../../tests/kit/postgres.ts';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 24, 2);
const SAMPLE = testSubjectIds.ofOrganisation('91120101MA9TYN016Y');
const OTHER = testSubjectIds.ofOrganisation('91120116MA9TYN024H');
const owner: Principal = { kind: 'subject', id: 'company-owner', purpose: 'SELF_ACCESS', subjects: [SAMPLE] };
const auditor: Principal = { kind: 'auditor', id: 'auditor', purpose: 'AUDIT', subjects: [] };

const OWN = `query ($representations: [_Any!]!, $first: Int, $after: String, $result: AccessResult, $withOwn: Boolean) {
  _entities(representations: $representations) { ... on CreditSubject {
    accessLog(first: $first, after: $after, result: $result, withOwn: $withOwn) {
      entries { id at who { kind id zh en } why { purpose code zh en } items { id zh en } result consentIds isJoint } next } } } }`;
const AUDIT = `query ($filter: AuditFilter!, $first: Int, $after: String) {
  auditRecords(filter: $filter, first: $first, after: $after) {
    records { id at position kind consumer department purpose result subjects items shownFrom } next } }`;
const EXTEND = `mutation ($input: ExtendAccessDelayInput!) { extendAccessDelay(input: $input) { record until reason extendedBy } }`;

let databases: TestDatabases;
let url: string;
let database: pg.Client;
let department: PlatformDepartment;

beforeAll(async () => {
  databases = createTestDatabases();
  url = await databases.url('platform');
  database = new pg.Client({ connectionString: url });
  await database.connect();
  await createEvidenceTables(database);
  department = await startPlatformDepartment('access-log', { JINXIN_PLATFORM_URL: url });
});
afterAll(async () => {
  await department.close();
  await database.end();
  await databases.close();
});
beforeEach(async () => {
  await database.query('TRUNCATE evidence.audit_log, evidence.audit_subject');
  department.travelTo(NOW);
});

/** A record of the sample company, `days` before the clock of the test. */
const access = (days: number, change: Partial<AuditRecord> = {}) =>
  createRecord({ at: new Date(NOW - days * DAY).toISOString(), subjects: [SAMPLE], ...change });
const put = (...records: readonly AuditRecord[]) => appendRecords(database, records);

interface Page {
  readonly entries: readonly { readonly id: string; readonly result: string; readonly at: string }[];
  readonly next: string | null;
}
async function read(variables: object = {}, principal = owner, subject = SAMPLE) {
  const representations = [{ __typename: 'CreditSubject', id: subject }];
  const reply = await department.ask(principal, OWN, { representations, ...variables });
  const page = (reply.data?._entities?.[0]?.accessLog ?? null) as Page | null;
  return {
    page,
    ids: page?.entries.map(({ id }) => id),
    codes: reply.errors?.map((one) => one.extensions['code']),
    reply,
  };
}
async function readAll(first: number): Promise<readonly Page[]> {
  const pages: Page[] = [];
  for (let after: string | null = null; pages.length === 0 || after !== null;) {
    const { page } = await read({ first, after });
    if (!page) throw new Error('a page was not read');
    pages.push(page);
    after = page.next;
  }
  return pages;
}
const travelTo = (days: number) => department.travelTo(NOW + days * DAY);

describe('the subject', () => {
  it('reads who looked at it, newest first, with one statement, and nothing of it is kept', async () => {
    const [older, newer] = [access(2), access(1, { result: 'DENIED', items: [] })];
    await put(older, newer, access(1, { subjects: [OTHER] }));
    const before = department.calls();
    const { ids, reply } = await read();
    expect(ids).toEqual([newer.id, older.id]);
    expect(department.calls() - before).toBe(1);
    expect(reply.extensions?.jinxin?.maxAge ?? [0]).toEqual([0]);
  });

  it('is shown only its own log, also when it names another’s beside it', async () => {
    await put(access(1, { subjects: [OTHER] }));
    const { page, codes } = await read({}, owner, OTHER);
    expect([page, codes]).toEqual([null, ['FORBIDDEN']]);
  });

  it('nobody else reads it, whoever asks for whatever purpose', async () => {
    await put(access(1));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...PRINCIPAL_KINDS),
        fc.constantFrom(...PURPOSES),
        fc.boolean(),
        async (kind, purpose, isOwn) => {
          const principal = {
            kind,
            id: 'x',
            purpose,
            department: 'tax',
            subjects: isOwn ? [SAMPLE] : [OTHER],
          };
          const { page } = await read({}, principal);
          return (page !== null) === (kind === 'subject' && purpose === 'SELF_ACCESS' && isOwn);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('may leave out what its own account asked, and ask for one result', async () => {
    const own = access(1, { principal: { kind: 'subject', id: 'company-owner' }, purpose: 'SELF_ACCESS' });
    const agent = access(2, { principal: { kind: 'subject', id: 'company-agent' }, purpose: 'SELF_ACCESS' });
    const bank = access(3, { principal: { kind: 'bank', id: 'company-owner' }, result: 'DENIED' });
    await put(bank, agent, own);
    expect((await read()).ids).toEqual([own.id, agent.id, bank.id]);
    expect((await read({ withOwn: false })).ids).toEqual([agent.id, bank.id]);
    expect((await read({ result: 'DENIED' })).ids).toEqual([bank.id]);
  });
});

describe('a record that a later one corrects', () => {
  it('is shown once, by the last word on it', async () => {
    const intended = access(1, { result: 'INTENDED', answerHash: null });
    const done = { ...access(1), supersedes: intended.id };
    const withheld = { ...access(1), result: 'WITHHELD' as const, supersedes: done.id };
    await put(intended);
    expect((await read()).page?.entries).toMatchObject([{ id: intended.id, result: 'ATTEMPTED' }]);
    await put(done);
    expect((await read()).page?.entries).toMatchObject([{ id: done.id, result: 'DISCLOSED' }]);
    await put(withheld);
    expect((await read({ first: 1 })).page).toMatchObject({
      entries: [{ id: withheld.id, result: 'WITHHELD' }],
      next: null,
    });
  });
});

describe('an access that is told later', () => {
  it.each([
    ['INVESTIGATION', 180],
    ['EMERGENCY', 7],
    ['AUDIT', 180],
  ] as const)('of purpose %s is shown after %i days, in its place', async (purpose, days) => {
    const [before, hidden, after] = [access(3), access(2, { purpose }), access(1)];
    await put(before, hidden, after);
    expect((await read()).ids).toEqual([after.id, before.id]);
    department.travelTo(Date.parse(hidden.at) + days * DAY - 1_000);
    expect((await read()).ids).toEqual([after.id, before.id]);
    department.travelTo(Date.parse(hidden.at) + days * DAY);
    expect((await read()).ids).toEqual([after.id, hidden.id, before.id]);
  });

  it('leaves no trace until then: the log reads byte for byte as if it had never been', async () => {
    const arbitrary = fc.array(
      fc.record({
        days: fc.integer({ min: 0, max: 400 }),
        purpose: fc.constantFrom(...PURPOSES),
        result: fc.constantFrom('INTENDED', 'DISCLOSED', 'DENIED', 'WITHHELD'),
        isJoint: fc.boolean(),
      }),
      { maxLength: 12 },
    );
    const DELAYS: Readonly<Record<string, number>> = { INVESTIGATION: 180, EMERGENCY: 7, AUDIT: 180 };
    await fc.assert(
      fc.asyncProperty(arbitrary, fc.integer({ min: 1, max: 4 }), async (drafts, first) => {
        await database.query('TRUNCATE evidence.audit_log, evidence.audit_subject');
        const records = drafts.map(({ days, isJoint, ...change }) =>
          access(days + 0.5, { ...change, ...(isJoint ? { subjects: [SAMPLE, OTHER] } : {}) }),
        );
        await put(...records);
        const withHidden = await readAll(first);
        const hidden = drafts.flatMap(({ days, purpose }, at) =>
          days + 0.5 < (DELAYS[purpose] ?? 0) ? [records[at]!.id] : [],
        );
        await database.query('DELETE FROM evidence.audit_log WHERE id = ANY($1)', [hidden]);
        await database.query('DELETE FROM evidence.audit_subject WHERE id = ANY($1)', [hidden]);
        expect(JSON.stringify(withHidden)).toBe(JSON.stringify(await readAll(first)));
        const shown = withHidden.flatMap(({ entries }) => entries.map(({ id }) => id));
        const expected = records
          .map(({ id, at }, seq) => ({ id, at, seq }))
          .filter(({ id }) => !hidden.includes(id))
          .sort((one, other) => Date.parse(other.at) - Date.parse(one.at) || other.seq - one.seq);
        expect(shown).toEqual(expected.map(({ id }) => id));
      }),
      { numRuns: 25 },
    );
  });

  it('cannot be found out by a cursor', async () => {
    const hidden = access(2, { purpose: 'INVESTIGATION' });
    await put(access(3), access(2.5), hidden, access(1));
    const { page } = await read({ first: 1 });
    const cursor = JSON.parse(Buffer.from(page?.next ?? '', 'base64url').toString()) as string[];
    const forged = (at: string, id: string) =>
      Buffer.from(JSON.stringify([at, id, cursor[2]])).toString('base64url');
    const known = await read({ after: forged(hidden.at, hidden.id) });
    const unknown = await read({ after: forged(hidden.at, 'nobody') });
    expect(known.codes).toEqual(['INVALID_INPUT']);
    expect(known.reply).toEqual(unknown.reply);
  });

  it('is told later still when an auditor extends it with a reason, up to the cap, and then it is told', async () => {
    const hidden = access(0, { purpose: 'INVESTIGATION' });
    await put(hidden);
    const extend = async (input: object) => {
      const reply = await department.ask(auditor, EXTEND, {
        input: { record: hidden.id, at: hidden.at, reason: '案件尚在侦查，告知将妨碍履职。', ...input },
      });
      return reply.errors?.[0]?.extensions['attribute'] ?? reply.data.extendAccessDelay;
    };
    const until = (days: number) => ({ until: new Date(NOW + days * DAY).toISOString() });
    expect(await extend({ ...until(300), reason: '短' })).toBe('input.reason');
    expect(await extend(until(179))).toBe('input.until');
    expect(await extend(until(1_097))).toBe('input.until');
    expect(await extend({ ...until(300), record: 'nobody' })).toBe('input.record');
    expect(await extend(until(300))).toMatchObject({ record: hidden.id, extendedBy: 'auditor' });
    travelTo(299);
    expect((await read()).ids).toEqual([]);
    expect(await extend(until(1_096))).toMatchObject({ record: hidden.id });
    travelTo(1_096);
    expect((await read()).ids).toEqual([hidden.id]);
    // What was told cannot be taken back.
    expect(await extend(until(1_097))).toBe('input.record');
    expect((await read()).ids).toEqual([hidden.id]);
  });

  it('is the only kind whose delay can be extended, and by nobody but an auditor', async () => {
    const plain = access(0);
    await put(plain);
    const input = {
      record: plain.id,
      at: plain.at,
      until: new Date(NOW + DAY).toISOString(),
      reason: '理由理由理由理由理由',
    };
    const refused = await department.ask(auditor, EXTEND, { input });
    expect(refused.errors?.[0]?.extensions['attribute']).toBe('input.record');
    const byOwner = await department.ask(owner, EXTEND, { input });
    expect(byOwner.errors?.[0]?.extensions['code']).toBe('FORBIDDEN');
    expect((await read()).ids).toEqual([plain.id]);
  });
});

describe('pages', () => {
  it('do not move when something newer is logged, and tell a foreign cursor from an end', async () => {
    const records = [5, 4, 3, 2, 1].map((days) => access(days));
    await put(...records);
    const first = await read({ first: 2 });
    await put(access(0));
    const second = await read({ first: 2, after: first.page?.next });
    expect([first.ids, second.ids]).toEqual([
      [records[4]!.id, records[3]!.id],
      [records[2]!.id, records[1]!.id],
    ]);
    const both = { ...owner, subjects: [SAMPLE, OTHER] };
    const foreign = await read({ after: first.page?.next }, both, OTHER);
    expect([foreign.page, foreign.codes]).toEqual([null, ['INVALID_INPUT']]);
  });

  it.each([
    '',
    'x',
    'bm90IGpzb24',
    toCursor({ at: '0000-01-01T00:00:00Z', key: 'a' }, 'own'),
    toCursor({ at: '2026-01-01T00:00:00Z', key: "' OR true" }, 'own'),
    toCursor({ at: '2026-01-01T00:00:00Z', key: 'a' }, 'another list'),
  ])('refuse the cursor %j without asking the store', async (after) => {
    const before = department.calls();
    expect((await read({ after })).codes).toEqual(['INVALID_INPUT']);
    expect(department.calls()).toBe(before);
  });

  it.each([0, -1, 101])('refuse a size of %i', async (first) => {
    expect((await read({ first })).codes).toEqual(['INVALID_INPUT']);
  });
});

describe('the auditor', () => {
  const audit = (filter: object, more: object = {}, principal = auditor) =>
    department.ask(principal, AUDIT, { filter, ...more });

  it('reads every record, those that are told later too, and from when they are', async () => {
    const hidden = access(2, {
      purpose: 'INVESTIGATION',
      principal: { kind: 'department', id: 'o-1', department: 'tax' },
    });
    const bank = access(1, { subjects: [OTHER] });
    await put(hidden, bank);
    const from = new Date(NOW - 30 * DAY).toISOString();
    expect((await audit({ from })).data.auditRecords.records).toMatchObject([
      { id: bank.id, kind: 'BANK', consumer: 'bank-a', shownFrom: bank.at },
      {
        id: hidden.id,
        kind: 'DEPARTMENT',
        department: 'tax',
        shownFrom: new Date(Date.parse(hidden.at) + 180 * DAY).toISOString(),
      },
    ]);
    const ids = async (filter: object) =>
      ((await audit(filter)).data.auditRecords.records as { id: string }[]).map(({ id }) => id);
    expect(await ids({ subject: OTHER })).toEqual([bank.id]);
    expect(await ids({ from, purpose: 'INVESTIGATION' })).toEqual([hidden.id]);
    expect(await ids({ from, consumer: 'bank-a' })).toEqual([bank.id]);
    expect(await ids({ subject: SAMPLE, until: hidden.at })).toEqual([]);
  });

  it('pages through it, with cursors of one filter each', async () => {
    const records = [3, 2, 1].map((days) => access(days));
    await put(...records);
    const one = (await audit({ subject: SAMPLE }, { first: 2 })).data.auditRecords;
    const two = (await audit({ subject: SAMPLE }, { first: 2, after: one.next })).data.auditRecords;
    expect([one, two].map(({ records: page }) => page.map(({ id }: { id: string }) => id))).toEqual([
      [records[2]!.id, records[1]!.id],
      [records[0]!.id],
    ]);
    expect(two.next).toBeNull();
    const foreign = await audit({ subject: OTHER }, { after: one.next });
    expect(foreign.errors?.[0]?.extensions['code']).toBe('INVALID_INPUT');
  });

  it.each<[string, object]>([
    ['filter.from', {}],
    ['filter.from', { from: new Date(NOW - 94 * DAY).toISOString() }],
    ['filter.from', { from: '2026-13-45T99:99:99Z' }],
    ['filter.consumer', { subject: SAMPLE, consumer: 'a\u0000b' }],
  ])('is told %s when it asks with %j', async (attribute, filter) => {
    expect((await audit(filter)).errors?.[0]?.extensions).toMatchObject({ code: 'INVALID_INPUT', attribute });
  });

  it('is the only one who reads it', async () => {
    await put(access(1));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...PRINCIPAL_KINDS),
        fc.constantFrom(...PURPOSES),
        async (kind, purpose) => {
          const principal = { kind, id: 'x', purpose, department: 'tax', subjects: [SAMPLE] };
          const reply = await audit({ subject: SAMPLE }, {}, principal);
          const isShown = (reply.data?.auditRecords ?? null) !== null;
          return isShown === (kind === 'auditor' && purpose === 'AUDIT');
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('a log that cannot be read', () => {
  it('is unknown, never empty: the record of an entry is gone, is of another shape, or the tables are', async () => {
    const record = access(1);
    const unavailable = [null, ['DEPARTMENT_UNAVAILABLE']];
    const said = async (variables = {}) => {
      const { page, codes } = await read(variables);
      return [page, codes];
    };
    await put(record);
    await database.query('DELETE FROM evidence.audit_log');
    expect(await said()).toEqual(unavailable);
    expect(await said({ result: 'DENIED', withOwn: false })).toEqual(unavailable);
    await database.query('TRUNCATE evidence.audit_subject');
    await put({ ...record, purpose: 'CURIOSITY' });
    expect(await said()).toEqual(unavailable);
    await database.query('ALTER TABLE evidence.audit_subject RENAME TO gone');
    expect(await said()).toEqual(unavailable);
    await database.query('ALTER TABLE evidence.gone RENAME TO audit_subject');
    expect(department.lines.join('')).not.toContain(SAMPLE);
  });
});
