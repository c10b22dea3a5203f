import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import type { LegacyRow } from '../../adapters/adapter.ts';
import { summarise } from './facts.ts';
import { toCourtFacts } from './source.ts';

const CODE = '91120101MA9TYN016Y';
const TODAY = '2026-03-01';
const fixture = (name: string, changes: LegacyRow = {}): LegacyRow => ({
  ...(JSON.parse(readFileSync(new URL(`fixtures/${name}.json`, import.meta.url), 'utf8')) as LegacyRow),
  ...changes,
});
const factsOf = (rows: readonly LegacyRow[], today = TODAY) => toCourtFacts(rows, CODE, today).facts;
const ALL = ['dishonest', 'restriction', 'enforcement', 'judgment'].map((name) => fixture(name));

describe('the courts’ rows', () => {
  it('become records of all four kinds, whichever way the code is written', () => {
    expect(toCourtFacts(ALL, CODE, TODAY)).toEqual({
      own: 4,
      foreign: 0,
      quarantined: 0,
      undocumented: 0,
      facts: {
        dishonestListings: [
          {
            documentNumber: '（2024）津02民初77号',
            authority: '天津市和平区人民法院',
            legalBasis: expect.stringContaining('法释〔2017〕7号'),
            decidedOn: '2025-04-01',
            publishedFrom: '2025-04-01',
            publishedUntil: '2027-04-01',
            catalogueItem: 'courts.dishonest',
            underObjection: false,
            caseNumber: '（2025）津0101执1234号',
            court: '天津市和平区人民法院',
            kinds: ['BROKE_REPORTING_DUTY', 'BROKE_CONSUMPTION_ORDER'],
            duty: '支付货款人民币1,200,000.00元及利息',
            performance: 'PARTLY_PERFORMED',
            filedOn: '2025-03-02',
          },
        ],
        consumptionRestrictions: [
          expect.objectContaining({
            documentNumber: '（2025）津0116执恢88号',
            decidedOn: '2025-05-09',
            underObjection: true,
            restrictedPerson: '赵样本',
          }),
        ],
        enforcementCases: [
          {
            caseNumber: '（2025）冀0102执7号',
            court: '河北省石家庄市长安区人民法院',
            filedOn: '2025-01-02',
            state: 'TERMINATED_WITHOUT_ASSETS',
            amount: 1_234_567.1,
            outstanding: 1_200_000.05,
            terminatedOn: '2025-09-30',
          },
        ],
        judgments: [
          expect.objectContaining({ caseNumber: '（2023）津72民初305号', role: '原告', link: null }),
        ],
      },
    });
  });

  it('never carry an ID number on, masked or not', () => {
    expect(JSON.stringify(factsOf(ALL))).not.toMatch(/\*{2,}|1201011900/);
  });

  it('give the assessment its facts, disputed records apart', () => {
    expect(summarise(factsOf(ALL))).toEqual({
      findings: 2,
      facts: {
        dishonestCount: 1,
        consumptionRestricted: false,
        disputedCount: 1,
        enforcementOpenCount: 1,
        enforcementAmount: 1_200_000.05,
      },
    });
  });

  it.each([
    ['on its last day', { publishDate: '2024-03-01' }, 1],
    ['the day after its last day', { publishDate: '2024-02-29' }, 0],
    ['longer when it was extended', { publishDate: '2022-03-01', extendYears: '2' }, 1],
    ['not longer than extended', { publishDate: '2022-02-28', extendYears: '2' }, 0],
    [
      'without end for who can pay and refuses',
      { publishDate: '2016-01-01', disruptTypeName: '有履行能力而拒不履行' },
      1,
    ],
    ['not before it is published', { publishDate: '2026-03-02' }, 0],
    ['not from the day of its removal', { removeDate: '2026-03-01' }, 0],
    ['until the day of its removal', { removeDate: '2026-03-02' }, 1],
  ])('are shown %s', (_, changes, shown) => {
    expect(factsOf([fixture('dishonest', changes)]).dishonestListings).toHaveLength(shown);
  });

  it('leave no trace of a lifted restriction or a closed case', () => {
    const past = [
      fixture('restriction', { removeDate: '2026-01-01' }),
      fixture('enforcement', { caseState: '已结案' }),
    ];
    expect(Object.values(factsOf(past)).flat()).toEqual([]);
  });

  it('are dropped and counted when they are another subject’s', () => {
    const strangers = ['91120116MA9TYN024H', '99990001-3', '1201011900****0016', '120101190001010016'];
    const rows = [...ALL, ...strangers.map((cardNum) => fixture('dishonest', { cardNum, iname: '别家' }))];
    const { facts, foreign } = toCourtFacts(rows, CODE, TODAY);
    expect(foreign).toBe(strangers.length);
    expect(facts).toEqual(factsOf(ALL));
  });

  it('are set aside and counted when an adverse one rests on no document', () => {
    const { facts, quarantined } = toCourtFacts([fixture('dishonest', { gistId: ' ' })], CODE, TODAY);
    expect({ listings: facts.dishonestListings, quarantined }).toEqual({ listings: [], quarantined: 1 });
  });

  it.each([
    ['in force is not passed over', {}, 1],
    ['removed is of no account', { removeDate: '2026-01-01' }, 0],
    ['past its last day is of no account', { publishDate: '2022-01-01' }, 0],
  ])('without a document: a listing %s', (_, changes, undocumented) => {
    const row = fixture('dishonest', { gistId: '', ...changes });
    expect(toCourtFacts([...ALL, row], CODE, TODAY)).toMatchObject({ quarantined: 1, undocumented });
  });

  it('are nobody’s to drop when their mask leaves this subject’s own code to be read', () => {
    for (const cardNum of ['91120101********6Y', '9112****MA9TYN016Y', 'MA9TYN**-*'])
      expect(() => toCourtFacts([fixture('dishonest', { cardNum })], CODE, TODAY)).toThrow(/whose it is/);
  });

  it('are one when they are sent twice', () => {
    expect(factsOf([...ALL, ...ALL])).toEqual(factsOf(ALL));
  });

  it('keep the number of a document that is no court case', () => {
    const [listing] = factsOf([fixture('dishonest', { gistId: '津仲裁字[2023]第12号' })]).dishonestListings;
    expect(listing?.documentNumber).toBe('津仲裁字〔2023〕第12号');
  });

  it.each<[string, LegacyRow]>([
    ['a kind of record that is unknown', fixture('dishonest', { xxlb: '09' })],
    ['a date that no calendar has', fixture('dishonest', { publishDate: '2025-02-29' })],
    ['a case number that is none', fixture('enforcement', { caseCode: '见附件' })],
    ['a ground that is unknown', fixture('dishonest', { disruptTypeName: '其他' })],
    ['a mark of objection that is neither yes nor no', fixture('restriction', { objection: '' })],
    ['an amount in words', fixture('enforcement', { execMoney: '壹佰万元' })],
    ['a renamed column', { ...fixture('dishonest'), cardNum: undefined, card_num: CODE }],
    ['nobody’s code', fixture('dishonest', { cardNum: '' })],
    ['a link that is a script', fixture('judgment', { url: 'javascript:alert(1)' })],
  ])('make the whole answer untrusted with %s', (_, row) => {
    expect(() => toCourtFacts([fixture('judgment'), row], CODE, TODAY)).toThrow(
      expect.objectContaining({ name: 'LegacyError', fault: 'malformed' }),
    );
  });

  it('never become a clean record because one cell of an adverse row was lost', () => {
    const row = fixture('dishonest');
    const needed = [
      'cardNum',
      'xxlb',
      'caseCode',
      'courtName',
      'regDate',
      'performance',
      'disruptTypeName',
      'publishDate',
      'objection',
    ];
    fc.assert(
      fc.property(fc.constantFrom(...needed), fc.constantFrom('', ' ', '?', undefined), (column, value) => {
        fc.pre(!(column === 'courtName' && (value === ' ' || value === '?')));
        expect(() => factsOf([{ ...row, [column]: value }])).toThrow(/cannot be read|whose it is/);
      }),
    );
  });
});
