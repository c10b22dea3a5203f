import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { createClock } from '../../adapters/clock.ts';
import { parseFile } from '../../adapters/file-drop/formats.ts';
import { assertWhole, parseOkFile } from '../../adapters/file-drop/ok-file.ts';
import { WIRE_FAULTS } from '../../simulators/fault-proxy.ts';
import { makeTaxRecords } from '../../simulators/tax/records.ts';
import type { TaxSimulator } from '../../simulators/tax/simulator.ts';
import type { DepartmentKit } from '../../tests/kit/department.ts';
import { startDepartment, TEST_BANK } from '../../tests/kit/department.ts';
import { createTaxSource, FEEDS } from './source.ts';

const ALL = `tax {
  status source { asOf system } isGradeA grade grades { year grade authority } taxPaid { year amount }
  arrears { tax balance newInPeriod documentNumber authority decidedOn underObjection catalogueItem }
  majorViolations { nature facts documentNumber publishedFrom publishedUntil legalBasis underObjection }
  forAssessment { status findings facts }
}`;
const DATA_IS_NULL = {
  isGradeA: null,
  grade: null,
  grades: null,
  taxPaid: null,
  arrears: null,
  majorViolations: null,
};
const QUICK = {
  JINXIN_TAX_SYNC_EVERY_MS: '50',
  JINXIN_TAX_DEADLINE_MS: '400',
  JINXIN_TAX_COOL_DOWN_MS: '50',
};

// A wall clock whose date a test can move.
let aheadMs = 0;
const wall = createClock(1);
const clock = {
  ...wall,
  now: () => wall.now() + aheadMs,
  deadline: (at: number, parent?: AbortSignal) => wall.deadline(at - aheadMs, parent),
};

let kit: DepartmentKit;
let simulator: TaxSimulator;
let codes: readonly string[];
/** What the bureau really has, by code. */
let real: ReturnType<typeof makeTaxRecords>;

const answers = async (of: readonly string[] = codes) =>
  (await kit.ask({ codes: of, selection: ALL })).entities;
const answer = async (code: string) => (await answers([code]))[0].tax;
const first18 = (id: string | undefined) => id?.slice(0, 18) ?? '';

beforeAll(async () => {
  kit = await startDepartment('tax', { settings: QUICK, clock });
  simulator = kit.simulator as TaxSimulator;
  codes = kit.population.map(({ code }) => code);
  const yesterday = new Date(clock.now() + 8 * 3_600_000 - 86_400_000).toISOString().slice(0, 10);
  real = makeTaxRecords(kit.population, 'test', yesterday);
  await until(async () => (await answer(codes[0] ?? '')).status === 'OK');
});
afterAll(() => kit.close());

describe('the tax department', () => {
  it('reads a hundred subjects with one statement', async () => {
    const before = simulator.calls();
    const entities = await answers(codes.slice(0, 100));
    expect(simulator.calls() - before).toBe(1);
    expect(new Set(entities.map(({ tax }) => tax.status))).toEqual(new Set(['OK', 'NONE_FOUND']));
  });

  it('says of every subject what the bureau has, and NONE_FOUND where it has nothing', async () => {
    const graded = new Set(real.grades.map(([, id]) => first18(id)));
    expect(real.arrears.length).toBeGreaterThan(2);
    for (const [at, { tax }] of (await answers()).entries()) {
      const code = codes[at] ?? '';
      expect({ code, status: tax.status }).toEqual({ code, status: graded.has(code) ? 'OK' : 'NONE_FOUND' });
      expect(tax.arrears.map((row: { documentNumber: string }) => row.documentNumber)).toEqual(
        real.arrears.filter(([id]) => first18(id) === code).map((row) => row[8]),
      );
    }
  });

  it('knows the sample company as a good one', async () => {
    const tax = await answer(codes[0] ?? '');
    expect(tax).toMatchObject({ isGradeA: true, grade: 'A', arrears: [], majorViolations: [] });
    expect(tax.forAssessment).toMatchObject({
      findings: 0,
      facts: { grade: 'A', arrearsTotal: 0, majorViolations: 0 },
    });
  });

  it('reads a taxpayer number of 20 digits as the code in it', async () => {
    const long = real.grades.find(([, id]) => id?.length === 20);
    expect(await answer(first18(long?.[1]))).toMatchObject({ status: 'OK', grade: expect.any(String) });
  });

  it('shows amounts in yuan, and the characters that GBK lacks', async () => {
    const [id = '', , , , tax, balance = ''] = real.arrears[0] ?? [];
    expect((await answer(first18(id))).arrears[0]).toMatchObject({
      tax,
      balance: Number(balance.replaceAll(',', '')),
    });
    const shown = (await answers()).flatMap((entity) => entity.tax.majorViolations);
    expect(shown[0]).toMatchObject({ facts: expect.stringContaining('䶮㛃') });
  });

  it('shows a major violation for three years, or until the bureau ends it, and then no trace of it', async () => {
    const today = new Date(clock.now() + 8 * 3_600_000).toISOString().slice(0, 10).replaceAll('-', '');
    const isShown = ([, , , , , , , , from = '', end = '']: readonly string[]) =>
      (end || `${Number(from.slice(0, 4)) + 3}${from.slice(4)}`) > today;
    expect(real.violations.some((row) => !isShown(row))).toBe(true);
    for (const row of real.violations) {
      const tax = await answer(first18(row[1]));
      expect(tax.majorViolations.map((shown: { documentNumber: string }) => shown.documentNumber)).toEqual(
        isShown(row) ? [row[5]] : [],
      );
    }
  });

  it('tells everybody the A list, and nobody else the grade', async () => {
    const principal = {
      kind: 'public' as const,
      id: 'anonymous',
      purpose: 'PUBLIC_QUERY' as const,
      subjects: [],
    };
    const ask = (selection: string) => kit.ask({ codes: codes.slice(0, 1), principal, selection });
    expect((await ask('tax { isGradeA }')).entities).toEqual([{ tax: { isGradeA: true } }]);
    expect((await ask('tax { grade }')).errors).toMatchObject([
      { extensions: { code: 'FORBIDDEN', item: 'tax.grade' } },
    ]);
    expect((await ask('tax { taxPaid { amount } }')).errors).toMatchObject([
      { extensions: { item: 'tax.amount' } },
    ]);
    expect(
      (await kit.ask({ codes: codes.slice(0, 1), principal: TEST_BANK, selection: 'tax { grade }' })).errors,
    ).toEqual([]);
  });
});

describe('the files as they really look', () => {
  it.each([
    [
      'grades',
      'NSXYDJ_20261122.txt',
      [null, null, null, null, 'has a taxpayer number that is no credit code'],
    ],
    ['arrears', 'QSGG_20261122.txt', [null, null]],
    ['violations', 'ZDSSWF_20261122.txt', [null]],
  ])('of %s are whole, and each line is taken or has a reason', (name, file, reasons) => {
    const feed = FEEDS.find((each) => each.name === name && each.file.test(file));
    const content = readFileSync(new URL(`fixtures/${file}`, import.meta.url));
    const ok = parseOkFile(readFileSync(new URL(`fixtures/${file}.ok`, import.meta.url), 'latin1'));
    expect(() => assertWhole(content, ok)).not.toThrow();
    const lines = feed ? parseFile(content, feed.format) : [];
    expect(
      lines.map((line) => ('record' in line ? (feed?.subjectOf(line.record).reason ?? null) : line.reason)),
    ).toEqual(reasons);
  });

  it.each([
    ['an adverse line without its document', 'arrears', { 公告文号: '' }, 'has an unusable 公告文号'],
    ['a grade that the law does not know', 'grades', { 评价等级: 'E' }, 'has an unusable 评价等级'],
    ['an amount in another notation', 'grades', { 年度纳税额: '12万元' }, 'has an unusable 年度纳税额'],
    ['a day that does not exist', 'violations', { 公布日期: '20250230' }, 'has an unusable 公布日期'],
  ])('%s is set aside under its subject', (_, name, change, reason) => {
    const feed = FEEDS.find((each) => each.name === name);
    const file = { grades: 'NSXYDJ', arrears: 'QSGG', violations: 'ZDSSWF' }[name] ?? '';
    const content = readFileSync(new URL(`fixtures/${file}_20261122.txt`, import.meta.url));
    const [line] = feed ? parseFile(content, feed.format) : [];
    const record = line && 'record' in line ? { ...line.record, ...change } : {};
    expect(feed?.subjectOf(record)).toEqual({ subject: expect.stringMatching(/^9112/), reason });
  });
});

describe('whose a line is', () => {
  const [grades] = FEEDS;
  const record = {
    纳税人名称: '某',
    评价年度: '2025',
    评价等级: 'D',
    评价机关: '某局',
    年度纳税额: '0.00',
  };
  const subjectOf = (written: string) => grades?.subjectOf({ ...record, 纳税人识别号: written });

  it.each([
    '91120101MA9TYN016Y01',
    '９１１２０１０１ＭＡ９ＴＹＮ０１６Ｙ',
    '91120101ma9tyn016y',
    '91120101 MA9TYN016Y',
  ])('is seen however its code is written: %s', (written) =>
    expect(subjectOf(written)).toEqual({ subject: '91120101MA9TYN016Y' }),
  );

  it('is doubted of the one whose code it nearly is, and shown to nobody', () => {
    expect(subjectOf('9II2OIOIMA9TYNOI6Y')).toEqual({
      subject: '91120101MA9TYN016Y',
      reason: 'has a taxpayer number that is no credit code',
    });
  });
});

describe('what is shown on a day', () => {
  const code = '91120101MA9TYN016Y';
  const on = async (
    today: string,
    rows: readonly (readonly [string, Readonly<Record<string, string>>])[],
  ) => {
    const read = createTaxSource(
      {
        system: 'test',
        protocol: 'file-drop',
        call: () =>
          Promise.resolve({
            rows: rows.map(([feed, record]) => ({ feed, subject: code, record })),
            asOf: null,
          }),
        close: () => Promise.resolve(),
      },
      { clock: createClock(1, Date.parse(`${today}T12:00:00+08:00`)), onForeign: () => {} },
    );
    const context = { signal: new AbortController().signal, deadline: Infinity };
    const [answer] = await read([{ kind: 'ORGANISATION', id: `O-${code}`, code }], context);
    if (answer === undefined || !('facts' in (answer as object))) throw new Error('the answer is unknown');
    return answer as Extract<typeof answer, { readonly facts: object }>;
  };
  const violation = (from: string, ended = ''): [string, Readonly<Record<string, string>>] => [
    'violations',
    {
      案件性质: '偷税',
      主要违法事实: '某',
      处理处罚情况: '某',
      处罚决定文书号: '某〔2024〕1号',
      决定机关: '某局',
      决定日期: '20240101',
      公布日期: from,
      停止公布日期: ended,
      异议标志: '0',
    },
  ];
  const arrears = (balance: string, from: string): [string, Readonly<Record<string, string>>] => [
    'arrears',
    {
      税种: '增值税',
      欠税余额: balance,
      当期新增: '0.00',
      公告机关: '某局',
      公告文号: '某〔2026〕1号',
      公告日期: from,
      异议标志: '0',
    },
  ];
  const grade = (year: string): [string, Readonly<Record<string, string>>] => [
    'grades',
    { 评价年度: year, 评价等级: 'A', 评价机关: '某局', 年度纳税额: '0.00' },
  ];

  it.each([
    ['a violation from its day on', '2024-02-29', violation('20240229'), true],
    ['no violation before its day', '2024-02-28', violation('20240229'), false],
    ['a violation for three years', '2027-02-28', violation('20240229'), true],
    ['no violation after three years', '2027-03-01', violation('20240229'), false],
    ['a violation until the bureau ends it', '2025-05-31', violation('20240229', '20250601'), true],
    ['no violation that the bureau has ended', '2025-06-01', violation('20240229', '20250601'), false],
    ['arrears', '2026-11-24', arrears('0.01', '20261001'), true],
    ['no arrears that are paid', '2026-11-24', arrears('0.00', '20261001'), false],
    ['no arrears that are not announced yet', '2026-09-30', arrears('10.00', '20261001'), false],
  ])('is %s', async (_, today, row, isShown) => {
    const { found, facts } = await on(today, [row]);
    expect([found, facts.arrears.length + facts.majorViolations.length]).toEqual([isShown, isShown ? 1 : 0]);
  });

  it('ends a violation of 29 February on a day that exists', async () => {
    const { facts } = await on('2026-01-01', [violation('20240229')]);
    expect(facts.majorViolations[0]?.publishedUntil).toBe('2027-02-28');
  });

  it.each([
    ['2026-11-24', '2025', 'A'],
    ['2026-11-24', '2024', null],
    ['2026-04-30', '2024', 'A'],
    ['2026-05-01', '2024', null],
  ])('takes no old grade for the latest: on %s that of %s is %s', async (today, year, expected) => {
    const { facts } = await on(today, [grade(year)]);
    expect(facts).toMatchObject({
      grade: expected,
      isGradeA: expected === null ? null : true,
      grades: [{ year: Number(year), grade: 'A' }],
    });
  });
});

it('takes a line that lies aside for unknown, of its own subject only', async () => {
  const [first = '', second = ''] = codes;
  const read = createTaxSource(
    {
      system: 'test',
      protocol: 'file-drop',
      call: () => Promise.resolve({ rows: [{ feed: 'arrears', subject: first, record: null }], asOf: null }),
      close: () => Promise.resolve(),
    },
    { clock, onForeign: () => {} },
  );
  const subjects = [first, second].map((code) => ({ kind: 'ORGANISATION' as const, id: `O-${code}`, code }));
  expect(await read(subjects, { signal: new AbortController().signal, deadline: Infinity })).toMatchObject([
    { name: 'LegacyError', fault: 'malformed' },
    { found: false, facts: { arrears: [] } },
  ]);
});

describe('when the drop and the store are cut off', () => {
  it.each(WIRE_FAULTS)('%s: the block is unknown, its lists are null, and it comes back', async (fault) => {
    await simulator.setFault(fault);
    const tax = await answer(codes[0] ?? '');
    await simulator.setFault(null);
    expect(['UNAVAILABLE', 'TIMEOUT']).toContain(tax.status);
    expect(tax).toMatchObject({ ...DATA_IS_NULL, forAssessment: { findings: null, facts: null } });
    await until(async () => (await answer(codes[0] ?? '')).status === 'OK');
    expect((await answer(codes[0] ?? '')).grade).toBe('A');
  });
});

describe('when the files are spoilt', () => {
  it.each(['missing-rows', 'schema-drift', 'wrong-encoding'] as const)(
    '%s: what was read before stays, with its date',
    async (fault) => {
      const before = await answers();
      await simulator.setFault(fault);
      const read = simulator.filesRead();
      await until(() => Promise.resolve(simulator.filesRead() > read + 12));
      expect(await answers()).toEqual(before);
      await simulator.setFault(null);
    },
  );

  it('duplicate-rows: the answers are the same', async () => {
    const before = await answers();
    await simulator.setFault('duplicate-rows');
    const read = simulator.filesRead();
    await until(() => Promise.resolve(simulator.filesRead() > read + 12));
    expect(await answers()).toEqual(before);
    await simulator.setFault(null);
  });

  it('foreign-row: the line of somebody else is set aside and counted, and changes nothing', async () => {
    const before = await answers();
    const counted = kit.quarantined();
    await simulator.setFault('foreign-row');
    await until(() => Promise.resolve(kit.quarantined() === counted + 3));
    expect(kit.quarantined()).toBe(counted + 3);
    expect(await answers()).toEqual(before);
    await simulator.setFault(null);
  });

  it('expired-token: what was read before stays, and says when it is stale', async () => {
    const before = await answer(codes[0] ?? '');
    await simulator.setFault('expired-token');
    aheadMs = 5 * 86_400_000;
    expect(await answer(codes[0] ?? '')).toMatchObject({
      status: 'STALE',
      grade: 'A',
      source: before.source,
    });
    await simulator.setFault(null);
    await until(async () => (await answer(codes[0] ?? '')).status === 'OK');
    expect((await answer(codes[0] ?? '')).source.asOf > before.source.asOf).toBe(true);
    aheadMs = 0;
  });
});

it('knows nothing, rather than finds nothing, until the first files are read', async () => {
  const empty = await startDepartment('tax', {
    settings: { ...QUICK, JINXIN_TAX_SFTP_URL: 'sftp://u:p@127.0.0.1:1/out' },
  });
  const { entities } = await empty.ask({ codes: [empty.population[0]?.code ?? ''], selection: ALL });
  await empty.close();
  expect(entities).toMatchObject([{ tax: { status: 'UNAVAILABLE', ...DATA_IS_NULL } }]);
});

/** Polls what another process will do; gives up after ten seconds, and the test that follows says what is missing. */
async function until(isTrue: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 500 && !(await isTrue()); i++) await wall.sleep(20);
}
