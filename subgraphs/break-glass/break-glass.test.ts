import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import pg from 'pg';
import type { Principal } from '../../schema/principal.ts';
import { PRINCIPAL_KINDS, PURPOSES } from '../../schema/purpose.ts';
import type { PlatformDepartment, Reply } from '../../tests/kit/platform-department.ts';
import { startPlatformDepartment, testSubjectIds } from '../../tests/kit/platform-department.ts';
import type { TestDatabases } from '../../tests/kit/postgres.ts';
import { createTestDatabases } from '../../tests/kit/postgres.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NOW = Date.UTC(2026, 10, 24, 2);
const ITEM = 'human-resources.insured-count';
const REASON = '河西区厂房坍塌，须确认当班参保人数。';
const SAMPLE = testSubjectIds.ofOrganisation('91120101MA9TYN016Y');
const OTHER = testSubjectIds.ofOrganisation('91120116MA9TYN024H');
const PERSON = testSubjectIds.ofPerson('120101190001010016');

const officer: Principal = {
  kind: 'department',
  id: 'tax-officer',
  department: 'tax',
  purpose: 'EMERGENCY',
  subjects: [],
};
const colleague: Principal = { ...officer, id: 'tax-officer-2' };
const auditor: Principal = { kind: 'auditor', id: 'auditor', purpose: 'AUDIT', subjects: [] };
const gateway: Principal = { kind: 'operator', id: 'gateway', purpose: 'OPERATIONS', subjects: [] };

const FIELDS =
  'id subject officer department items reason reasonDigest state openedAt expiresAt closedAt reviewDueAt overdue verdict note reviewedBy reviewedAt';
const OPEN = `mutation ($input: BreakGlassInput!) { breakGlass(input: $input) { ${FIELDS} } }`;
const CLOSE = `mutation ($id: ID!) { closeBreakGlass(id: $id) { id state closedAt } }`;
const REVIEW = `mutation ($id: ID!, $verdict: BreakGlassVerdict!, $note: String!) {
  reviewBreakGlass(id: $id, verdict: $verdict, note: $note) { id state verdict reviewedBy closedAt } }`;
const LISTED = `query ($first: Int, $after: String) { openBreakGlass(first: $first, after: $after) { releases { id officer overdue } next } }`;
const MINE = `query ($first: Int, $after: String) { myBreakGlass(first: $first, after: $after) { releases { id officer verdict note } next } }`;
const ACTIVE = `query ($consumer: String!, $subjects: [SubjectId!]!) {
  activeBreakGlass(consumer: $consumer, subjects: $subjects) { id subject items expiresAt } }`;

let databases: TestDatabases;
let url: string;
let database: pg.Client;
let department: PlatformDepartment;

beforeAll(async () => {
  databases = createTestDatabases();
  url = await databases.url('platform');
  database = new pg.Client({ connectionString: url });
  await database.connect();
  department = await startPlatformDepartment('break-glass', { JINXIN_PLATFORM_URL: url });
  // Makes the tables.
  await department.ask(officer, MINE);
});
afterAll(async () => {
  await department.close();
  await database.end();
  await databases.close();
});
beforeEach(async () => {
  await database.query('TRUNCATE break_glass.release');
  department.travelTo(NOW);
  department.lines.length = 0;
});

const input = (change: object = {}) => ({
  subject: SAMPLE,
  items: [ITEM],
  reason: REASON,
  minutes: 30,
  ...change,
});
const open = (change: object = {}, principal = officer) =>
  department.ask(principal, OPEN, { input: input(change) });
const opened = async (change: object = {}, principal = officer): Promise<string> => {
  const reply = await open(change, principal);
  expect(reply.errors).toBeUndefined();
  return reply.data.breakGlass.id as string;
};
const active = async (subjects: readonly string[] = [SAMPLE], consumer = 'tax-officer') =>
  (
    (await department.ask(gateway, ACTIVE, { consumer, subjects })).data?.activeBreakGlass as { id: string }[]
  ).map(({ id }) => id);
const review = (id: string, verdict: string, principal: Principal = auditor) =>
  department.ask(principal, REVIEW, { id, verdict, note: '已核对值班记录与出警单。' });
const told = ({ errors = [] }: Reply) =>
  errors.map(({ extensions: { code, reason, attribute } }) => [code, reason ?? attribute]);

describe('an emergency access', () => {
  it('is in force for its officer, subject and items, until it expires', async () => {
    const { data } = await open();
    const { id } = data.breakGlass as { id: string };
    expect(data.breakGlass).toMatchObject({
      subject: SAMPLE,
      officer: 'tax-officer',
      department: 'tax',
      items: [ITEM],
      state: 'OPEN',
      overdue: false,
      verdict: null,
    });
    const reply = await department.ask(gateway, ACTIVE, { consumer: 'tax-officer', subjects: [SAMPLE] });
    expect(reply.data.activeBreakGlass).toEqual([
      { id, subject: SAMPLE, items: [ITEM], expiresAt: data.breakGlass.expiresAt },
    ]);
    expect(await active([OTHER])).toEqual([]);
    expect(await active([SAMPLE], 'tax-officer-2')).toEqual([]);
    department.travelTo(NOW + 29 * MINUTE);
    expect(await active()).toEqual([id]);
    department.travelTo(NOW + 31 * MINUTE);
    expect(await active()).toEqual([]);
  });

  it('ends when its officer closes it, and nobody else can', async () => {
    const id = await opened();
    const foreign = await department.ask(colleague, CLOSE, { id });
    const missing = await department.ask(colleague, CLOSE, { id: '00000000-0000-4000-8000-000000000000' });
    const nonsense = await department.ask(colleague, CLOSE, { id: `' OR true --` });
    expect(told(foreign)).toEqual([['INVALID_INPUT', 'id']]);
    expect([missing, nonsense]).toEqual([foreign, foreign]);
    expect(await active()).toEqual([id]);
    expect((await department.ask(officer, CLOSE, { id })).data.closeBreakGlass).toMatchObject({
      state: 'CLOSED',
    });
    expect(await active()).toEqual([]);
    expect(told(await department.ask(officer, CLOSE, { id }))).toEqual([['INVALID_INPUT', 'id']]);
  });

  it('is looked up for a hundred subjects with one statement', async () => {
    const id = await opened({ subject: PERSON });
    const subjects = [
      PERSON,
      ...Array.from({ length: 99 }, (_, at) => `O-91120101MA9TY${String(at).padStart(4, '0')}`),
    ];
    const before = department.calls();
    expect(await active(subjects)).toEqual([id]);
    expect(department.calls() - before).toBe(1);
  });

  it.each<[string, object]>([
    ['input.items', { items: ['tax.grade'] }],
    ['input.items', { items: ['market-regulation.registration'] }],
    ['input.items', { items: [ITEM, ITEM] }],
    ['input.minutes', { minutes: 61 }],
    ['input.reason', { reason: '紧急' }],
    ['input.subject', { subject: 'P1-AAAA' }],
  ])(
    'is refused with %s when %j goes beyond the rules, without asking the store',
    async (attribute, change) => {
      const before = department.calls();
      expect(told(await open(change))).toEqual([['INVALID_INPUT', attribute]]);
      expect(department.calls()).toBe(before);
    },
  );

  it('is loud: a warning without the reason and without the subject', async () => {
    const id = await opened({ subject: PERSON });
    const text = department.lines.join('');
    const warning = department.lines
      .map((line) => JSON.parse(line) as Record<string, never>)
      .find(({ level }) => level === 40);
    expect(warning).toMatchObject({ breakGlass: { id, officer: 'tax-officer', items: [ITEM] } });
    expect(text).not.toContain(REASON);
    expect(text).not.toContain(PERSON);
    const { rows } = await database.query<{ reason: string; reason_digest: string }>(
      'SELECT * FROM break_glass.release',
    );
    expect(rows[0]?.reason).toBe(REASON);
    expect(text).toContain(rows[0]?.reason_digest);
  });
});

describe('an officer', () => {
  it('has at most three open, however many it opens at the same moment', async () => {
    const replies = await Promise.all(Array.from({ length: 12 }, () => open()));
    expect(replies.filter(({ errors }) => !errors)).toHaveLength(3);
    expect(replies.flatMap(told)).toEqual(Array.from({ length: 9 }, () => ['FORBIDDEN', 'TOO_MANY_OPEN']));
    expect(await active()).toHaveLength(3);
    await opened({}, colleague);
    department.travelTo(NOW + 31 * MINUTE);
    await opened();
  });

  it('opens no other while a review is overdue, and may again when it is done', async () => {
    const id = await opened();
    // The clock goes on while the test runs.
    department.travelTo(NOW + 72 * HOUR - MINUTE);
    await opened();
    department.travelTo(NOW + 72 * HOUR + MINUTE);
    expect(told(await open())).toEqual([['FORBIDDEN', 'OVERDUE']]);
    await opened({}, colleague);
    expect((await review(id, 'JUSTIFIED')).errors).toBeUndefined();
    await opened();
  });

  it('opens no other for a year after one was found unjustified, which ended at once', async () => {
    const [id, other] = [await opened(), await opened({ subject: OTHER })];
    expect((await review(id, 'UNJUSTIFIED')).data.reviewBreakGlass).toMatchObject({
      state: 'CLOSED',
      verdict: 'UNJUSTIFIED',
      reviewedBy: 'auditor',
    });
    expect(await active([SAMPLE, OTHER])).toEqual([other]);
    expect(told(await open())).toEqual([['FORBIDDEN', 'UNJUSTIFIED']]);
    department.travelTo(NOW + HOUR);
    await review(other, 'JUSTIFIED');
    department.travelTo(NOW + 364 * 24 * HOUR);
    expect(told(await open())).toEqual([['FORBIDDEN', 'UNJUSTIFIED']]);
    department.travelTo(NOW + 366 * 24 * HOUR);
    await opened();
  });

  it('sees its own, newest first, and nobody else’s', async () => {
    const first = await opened();
    department.travelTo(NOW + MINUTE);
    const second = await opened();
    await opened({}, colleague);
    const one = (await department.ask(officer, MINE, { first: 1 })).data.myBreakGlass;
    const two = (await department.ask(officer, MINE, { first: 1, after: one.next })).data.myBreakGlass;
    expect([one, two].map(({ releases }) => releases[0].id)).toEqual([second, first]);
    expect(two.next).toBeNull();
    expect(told(await department.ask(colleague, MINE, { after: one.next }))).toEqual([
      ['INVALID_INPUT', 'after'],
    ]);
  });
});

describe('a review', () => {
  it('is listed until it is made, the one that is due first before the others, with a mark when it is overdue', async () => {
    const first = await opened();
    department.travelTo(NOW + HOUR);
    const second = await opened({}, colleague);
    department.travelTo(NOW + 72 * HOUR);
    const list = async (variables: object = {}) =>
      (await department.ask(auditor, LISTED, variables)).data.openBreakGlass as {
        releases: { id: string; overdue: boolean }[];
        next: string | null;
      };
    expect((await list()).releases.map(({ id, overdue }) => [id, overdue])).toEqual([
      [first, true],
      [second, false],
    ]);
    const { next } = await list({ first: 1 });
    expect((await list({ first: 1, after: next })).releases.map(({ id }) => id)).toEqual([second]);
    await review(first, 'JUSTIFIED');
    expect((await list()).releases.map(({ id }) => id)).toEqual([second]);
    department.travelTo(NOW + 5_000 * HOUR);
    expect((await list()).releases).toMatchObject([{ id: second, overdue: true }]);
  });

  it('is made once, after the end, and not by whoever opened it', async () => {
    const id = await opened();
    expect(told(await review(id, 'JUSTIFIED'))).toEqual([['INVALID_INPUT', 'id']]);
    department.travelTo(NOW + HOUR);
    expect(told(await review(id, 'UNJUSTIFIED', { ...auditor, id: 'tax-officer' }))).toEqual([
      ['INVALID_INPUT', 'id'],
    ]);
    const noNote = await department.ask(auditor, REVIEW, { id, verdict: 'JUSTIFIED', note: ' 好 ' });
    expect(told(noNote)).toEqual([['INVALID_INPUT', 'note']]);
    const verdicts = await Promise.all([
      review(id, 'JUSTIFIED'),
      review(id, 'UNJUSTIFIED', { ...auditor, id: 'auditor-2' }),
    ]);
    expect(verdicts.filter(({ errors }) => !errors)).toHaveLength(1);
    expect(told(await review(id, 'UNJUSTIFIED'))).toEqual([['INVALID_INPUT', 'id']]);
    const mine = (await department.ask(officer, MINE)).data.myBreakGlass.releases;
    expect(mine).toMatchObject([{ id, note: '已核对值班记录与出警单。' }]);
  });
});

describe('whoever it may be', () => {
  const USES = ['open', 'close', 'mine', 'list', 'review', 'active'] as const;
  const isAllowed = (use: (typeof USES)[number], { kind, purpose }: Principal): boolean => {
    if (use === 'active') return kind === 'operator' && purpose === 'OPERATIONS';
    if (use === 'list' || use === 'review') return kind === 'auditor' && purpose === 'AUDIT';
    return kind === 'department' && purpose === 'EMERGENCY';
  };

  it('does what its kind and purpose allow, and nothing else', async () => {
    const id = await opened({}, colleague);
    const questions = {
      open: [OPEN, { input: input() }],
      close: [CLOSE, { id }],
      mine: [MINE, {}],
      list: [LISTED, {}],
      review: [REVIEW, { id, verdict: 'JUSTIFIED', note: '已核对值班记录与出警单。' }],
      active: [ACTIVE, { consumer: 'tax-officer-2', subjects: [SAMPLE] }],
    } as const;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...USES),
        fc.constantFrom(...PRINCIPAL_KINDS),
        fc.constantFrom(...PURPOSES),
        async (use, kind, purpose) => {
          const principal: Principal = {
            kind,
            id: 'somebody',
            purpose,
            department: 'tax',
            subjects: [SAMPLE],
          };
          const [query, variables] = questions[use];
          const reply = await department.ask(principal, query, variables);
          // What is allowed may still be refused for what it says: nobody closes another's, nobody judges what is open.
          const isForbidden =
            reply.errors?.some(
              ({ extensions }) =>
                extensions['reason'] === 'NOT_GRANTED' ||
                (extensions['code'] === 'FORBIDDEN' && extensions['reason'] === undefined),
            ) ?? false;
          return isForbidden === !isAllowed(use, principal);
        },
      ),
      { numRuns: 120 },
    );
    expect(await active([SAMPLE], 'tax-officer-2')).toEqual([id]);
  });

  it('an officer of no department opens nothing', async () => {
    const { department: _, ...rest } = officer;
    expect((await open({}, rest)).errors?.[0]?.extensions['code']).toBe('FORBIDDEN');
  });
});

describe('a register that cannot be read', () => {
  it('says so: it neither releases nor says that there is nothing', async () => {
    await opened();
    await database.query('ALTER TABLE break_glass.release RENAME TO gone');
    const replies = [
      await department.ask(gateway, ACTIVE, { consumer: 'tax-officer', subjects: [SAMPLE] }),
      await department.ask(auditor, LISTED),
      await open(),
    ];
    expect(replies.flatMap(told).map(([code]) => code)).toEqual(
      Array.from({ length: 3 }, () => 'DEPARTMENT_UNAVAILABLE'),
    );
    expect(
      replies.every(
        ({ data }) => data === null || Object.values(data as object).every((value) => value === null),
      ),
    ).toBe(true);
    await database.query('ALTER TABLE break_glass.gone RENAME TO release');
  });
});
