import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import type { LegacyRow } from '../../adapters/adapter.ts';
import { summarise, toCountBand } from './facts.ts';
import { toFacts } from './source.ts';

const CODE = '91120101MA9TYN016Y';
const { rows: ROWS } = JSON.parse(
  readFileSync(new URL('./fixtures/query.json', import.meta.url), 'utf8'),
) as {
  rows: readonly LegacyRow[];
};
const [OLD_AGE = {}, UNEMPLOYMENT = {}, LISTED = {}] = ROWS;
const on = (today: string, rows: readonly LegacyRow[] = ROWS) => toFacts(rows, CODE, today);

describe('rows of 人社', () => {
  it('become insurance in aggregate and the listings that are published', () => {
    const { facts, foreign, quarantined } = on('2026-03-01');
    expect({ foreign, quarantined }).toEqual({ foreign: 0, quarantined: 0 });
    expect(facts).toEqual({
      insuredCount: 86,
      insuredCountBand: 'FROM_50_TO_99',
      continuousMonths: 60,
      // 缓缴 is agreed with the bureau.
      hasSocialInsuranceArrears: false,
      insurances: [
        { kind: 'OLD_AGE', state: 'ACTIVE', paidThrough: '2026-02', payment: 'PAID' },
        { kind: 'UNEMPLOYMENT', state: 'ACTIVE', paidThrough: '2026-02', payment: 'DEFERRED' },
      ],
      wageArrears: [
        {
          documentNumber: '津人社监列字〔2024〕第0012号',
          authority: '天津市人力资源和社会保障局',
          legalBasis: '保障农民工工资支付条例第四十八条',
          decidedOn: '2024-02-29',
          publishedFrom: '2024-02-29',
          publishedUntil: '2027-02-28',
          catalogueItem: 'human-resources.wage-arrears',
          underObjection: true,
          workers: 23,
          amount: 461200.5,
          responsiblePerson: '欧阳样本',
        },
      ],
    });
  });

  it('take over nothing of any number of an identity card', () => {
    expect(JSON.stringify(on('2026-03-01'))).not.toContain('1900');
  });

  it.each([
    ['2024-02-28', []],
    ['2024-02-29', ['2024-02-29']],
    ['2025-01-10', ['2024-02-29', '2025-01-10']],
    ['2025-07-31', ['2024-02-29', '2025-01-10']],
    ['2025-08-01', ['2024-02-29']],
    ['2027-02-28', ['2024-02-29']],
    ['2027-03-01', []],
  ])('show on %s the listings of %j', (today, expected) => {
    expect(on(today).facts.wageArrears.map(({ publishedFrom }) => publishedFrom)).toEqual(expected);
  });

  it.each([[{ LRWH: '' }], [{ LRWH: '  ' }], [{ LRWH: null }]])(
    'without a document are set aside and never shown: %j',
    (change) => {
      const { facts, quarantined, undocumented } = on('2026-03-01', [{ ...LISTED, ...change }]);
      expect(facts.wageArrears).toEqual([]);
      expect([quarantined, undocumented]).toEqual([1, 1]);
      expect(on('2029-03-01', [{ ...LISTED, ...change }])).toMatchObject({ quarantined: 1, undocumented: 0 });
    },
  );

  it('of another employer are dropped and counted', () => {
    const { facts, foreign } = on('2026-03-01', [{ ...LISTED, AAB003: '91120116MA9TYN024H' }, OLD_AGE]);
    expect(facts.wageArrears).toEqual([]);
    expect(foreign).toBe(1);
  });

  it.each<[string, LegacyRow]>([
    ['no code', { ...OLD_AGE, AAB003: undefined }],
    ['a code that is masked', { ...OLD_AGE, AAB003: '91120101MA9TYN****' }],
    ['another kind of business', { ...OLD_AGE, YWLB: '3' }],
    ['an unknown state', { ...OLD_AGE, AAC008: '9' }],
    ['a state named like a method', { ...OLD_AGE, AAC008: 'constructor' }],
    ['a month that does not exist', { ...OLD_AGE, AAE003: '202613' }],
    ['a number with a comma', { ...OLD_AGE, AAB119: '1,086' }],
    ['a number below zero', { ...OLD_AGE, AAE202: '-1' }],
    ['a number that is none', { ...OLD_AGE, AAB119: '' }],
    ['a day that does not exist', { ...LISTED, LRRQ: '20250229' }],
    ['a removal on no day', { ...LISTED, YCRQ: '0' }],
    ['no word on objections', { ...LISTED, YYBZ: '' }],
    ['an amount in 万元', { ...LISTED, SJJE: '46.12万' }],
  ])('with %s spoil the whole answer: a default would be a lie', (_, row) => {
    expect(() => on('2026-03-01', [UNEMPLOYMENT, row])).toThrow(
      expect.objectContaining({ fault: 'malformed' }),
    );
  });

  it('that contradict each other spoil the whole answer', () => {
    const other = { ...OLD_AGE, AAE114: '1' };
    expect(() => on('2026-03-01', [OLD_AGE, other])).toThrow(expect.objectContaining({ fault: 'malformed' }));
  });
});

describe('facts for the assessment', () => {
  it('count a disputed listing as a finding and do not score it', () => {
    expect(summarise(on('2026-03-01').facts)).toEqual({
      findings: 1,
      facts: {
        insuredCount: 86,
        continuousMonths: 60,
        socialInsuranceArrears: false,
        wageArrearsListed: false,
      },
    });
    const undisputed = on('2026-03-01', [
      { ...LISTED, YYBZ: '0' },
      { ...OLD_AGE, AAE114: '1' },
    ]).facts;
    expect(summarise(undisputed)).toMatchObject({
      findings: 2,
      facts: { socialInsuranceArrears: true, wageArrearsListed: true },
    });
  });

  it('are null where the bureau has no insurance on record', () => {
    expect(summarise(on('2026-03-01', []).facts)).toEqual({
      findings: 0,
      facts: {
        insuredCount: null,
        continuousMonths: null,
        socialInsuranceArrears: null,
        wageArrearsListed: false,
      },
    });
  });
});

describe('bands', () => {
  it.each([
    [0, 'UNDER_10'],
    [9, 'UNDER_10'],
    [10, 'FROM_10_TO_49'],
    [49, 'FROM_10_TO_49'],
    [50, 'FROM_50_TO_99'],
    [100, 'FROM_100_TO_299'],
    [300, 'FROM_300_TO_999'],
    [999, 'FROM_300_TO_999'],
    [1_000, 'FROM_1000'],
    [999_999_999, 'FROM_1000'],
  ])('%i people are %s', (count, band) => {
    expect(toCountBand(count)).toBe(band);
  });
});
