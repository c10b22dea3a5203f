import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { isLegacyError } from '../../adapters/adapter.ts';
import type { MarketRegulationFacts } from './facts.ts';
import { summarise } from './facts.ts';
import { toAnswers } from './source.ts';

type Record = Readonly<{ [column: string]: unknown }>;
type Kind = 'registration' | 'change' | 'abnormal' | 'serious' | 'spotCheck';

const ROWS = JSON.parse(readFileSync(new URL('./fixtures/register.json', import.meta.url), 'utf8')) as {
  batch: Record;
} & {
  [kind in Kind]: Record;
};
const VIEW: { [kind in Kind]: string } = {
  registration: 'v_企业登记',
  change: 'v_变更',
  abnormal: 'v_经营异常',
  serious: 'v_严重违法失信',
  spotCheck: 'v_抽查检查',
};
const CODE = '91120101MA9TYN016Y';
const OTHER = '91120116MA9TYN024H';
const TODAY = '2026-11-24';

/** A reply of these rows, with as many of each as it says there are. */
function replyOf(...records: readonly (readonly [Kind, Record])[]) {
  const counts = new Map<string, number>();
  for (const [kind, record] of records) {
    const key = `${VIEW[kind]} ${String(record['统一社会信用代码'])}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [
    { view: 'v_批次', record: ROWS.batch },
    ...[...counts].map(([key, count]) => {
      const [view, code] = key.split(' ');
      return { view: 'v_对账', record: { 视图: view, 统一社会信用代码: code, 行数: count } };
    }),
    ...records.map(([kind, record]) => ({ view: VIEW[kind], record })),
  ];
}
const row = (kind: Kind, changes: Record = {}): readonly [Kind, Record] => [
  kind,
  { ...ROWS[kind], ...changes },
];
const answerOf = (reply: ReturnType<typeof replyOf>, today = TODAY) => {
  const [answer] = toAnswers(reply, [CODE], today).answers;
  return isLegacyError(answer) ? answer.fault : answer;
};
function factsOf(reply: ReturnType<typeof replyOf>, today = TODAY): MarketRegulationFacts {
  const answer = answerOf(reply, today);
  if (answer === undefined || typeof answer === 'string') throw new Error(`was ${String(answer)}`);
  return answer.facts;
}

describe('the rows of the register', () => {
  it('are read with their dates, codes, regions and former names', () => {
    const facts = factsOf(replyOf(row('registration'), row('spotCheck')));
    expect(facts.registration).toEqual({
      name: '天津津信样例（集团）有限公司',
      formerNames: ['天津津信样例有限公司', '天津样例有限公司'],
      registrationNumber: '120101000012345',
      type: 'NATURAL_PERSON_COMPANY',
      typeCode: '1130',
      capital: { amount: 10_000_000, currency: 'CNY', text: '1,000(万元人民币)' },
      establishedOn: '2016-02-29',
      state: 'ACTIVE',
      region: { code: '120116', name: '滨海新区' },
      registeredRegion: { code: '120101', name: '和平区' },
      authority: '天津市滨海新区市场监督管理局',
      legalRepresentative: '赵样本',
    });
    expect(facts.spotChecks).toMatchObject([
      { checkedOn: '2025-09-01', type: 'RANDOM', result: 'NOT_REACHABLE' },
    ]);
  });

  it('say when they hold for', () => {
    expect(answerOf(replyOf(row('registration')))).toMatchObject({
      found: true,
      asOf: '2026-11-23T22:00:00+00:00',
    });
    expect(answerOf(replyOf())).toMatchObject({ found: false });
  });

  it('are the same answer in whatever order they come', () => {
    const rows = [
      row('registration'),
      row('registration', { ROW_ID: 'R2', S_EXT_SEQUENCE: 2, S_EXT_FLAG: 'U', 登记状态: '2' }),
    ];
    expect(factsOf(replyOf(...rows)).registration?.state).toBe('REVOKED');
    expect(factsOf(replyOf(...rows.reverse())).registration?.state).toBe('REVOKED');
  });

  it('of persons are left out of changes', () => {
    expect(factsOf(replyOf(row('change'))).changes).toEqual([
      {
        item: 'LEGAL_REPRESENTATIVE',
        before: null,
        after: null,
        changedOn: '2020-01-15',
        authority: '天津市市场监督管理委员会',
      },
    ]);
    const unknown = factsOf(replyOf(row('change', { 变更事项: '77' }))).changes;
    expect(unknown).toMatchObject([{ item: 'OTHER', before: null, after: null }]);
  });

  it.each<[string, Kind, Record, string, number]>([
    ['on its first day', 'abnormal', {}, '2025-07-08', 1],
    ['on the day before', 'abnormal', {}, '2025-07-07', 0],
    ['before it is removed', 'abnormal', { 移出日期: '2025-08-01' }, '2025-07-31', 1],
    ['on the day of its removal', 'abnormal', { 移出日期: '2025-08-01' }, '2025-08-01', 0],
    ['that the exchange has deleted', 'abnormal', { S_EXT_FLAG: 'D' }, TODAY, 0],
    ['on its last day of three years', 'serious', {}, '2027-02-27', 1],
    ['when its three years are over', 'serious', {}, '2027-02-28', 0],
    ['that was repaired early', 'serious', { 移出日期: '2025-03-01' }, TODAY, 0],
  ])('a listing %s', (_, kind, changes, today, shown) => {
    const facts = factsOf(replyOf(row(kind, changes)), today);
    expect([...facts.abnormalOperations, ...facts.seriousViolations]).toHaveLength(shown);
    if (shown === 0) expect(answerOf(replyOf(row(kind, changes)), today)).toMatchObject({ found: false });
  });

  it('show a disputed listing with its mark, and do not hold it against the subject', () => {
    const facts = factsOf(replyOf(row('registration'), row('serious'), row('abnormal')));
    expect(facts.seriousViolations).toMatchObject([{ underObjection: true, publishedUntil: '2027-02-28' }]);
    expect(summarise(facts, TODAY)).toEqual({
      findings: 2,
      facts: {
        state: 'ACTIVE',
        establishedOn: '2016-02-29',
        years: 10,
        abnormalCount: 1,
        seriousCount: 0,
        disputedCount: 1,
        capital: 10_000_000,
      },
    });
  });

  it.each([
    ['in force leave the subject unknown', {}, { fault: 'malformed' }],
    [
      'removed leave it as it is',
      { 移出日期: '2020-01-01' },
      { found: true, facts: { abnormalOperations: [] } },
    ],
  ])('that are adverse without a document are set aside and counted; those %s', (_, change, answer) => {
    const { answers, quarantined } = toAnswers(
      replyOf(row('registration'), row('abnormal', { 列入决定文书号: ' ', ...change })),
      [CODE],
      TODAY,
    );
    expect(quarantined).toBe(1);
    expect(answers).toMatchObject([answer]);
  });

  it('of nothing known are nothing, not something', () => {
    const nothing = {
      注册号: null,
      注册资本: 'N/A',
      成立日期: '无',
      行政区划: null,
      登记状态: null,
      曾用名: '',
      法定代表人: ' ',
    };
    const facts = factsOf(replyOf(row('registration', nothing)));
    expect(facts.registration).toMatchObject({
      registrationNumber: null,
      capital: { amount: null, currency: null, text: null },
      establishedOn: null,
      region: null,
      state: null,
      formerNames: [],
      legalRepresentative: null,
    });
    expect(summarise(facts, TODAY).facts).toMatchObject({ state: null, years: null, capital: null });
  });
});

describe('rows that cannot be trusted', () => {
  it.each<[string, Kind, Record]>([
    ['a state that its table does not have', 'registration', { 登记状态: '7' }],
    ['a state column that is gone', 'registration', { 登记状态: undefined }],
    ['a date that there is not', 'registration', { 成立日期: '2023-02-29' }],
    ['lost characters', 'registration', { 企业名称: '天津\ufffd公司' }],
    ['a listing without a date', 'abnormal', { 列入日期: null }],
    ['a reason that its table does not have', 'abnormal', { 列入原因: '9' }],
    ['a removal that cannot be read', 'serious', { 移出日期: 'soon' }],
    ['an objection that is neither yes nor no', 'serious', { 异议标识: '' }],
    ['a result that its table does not have', 'spotCheck', { 检查结果: '0' }],
    ['a flag that there is not', 'change', { S_EXT_FLAG: 'X' }],
  ])('are malformed for %s, and for that subject only', (_, kind, changes) => {
    const other = row('registration', { 统一社会信用代码: OTHER, 主体身份代码: '2', ROW_ID: 'R9' });
    const { answers } = toAnswers(replyOf(row(kind, changes), other), [CODE, OTHER], TODAY);
    expect(answers[0]).toMatchObject({ fault: 'malformed' });
    expect(answers[1]).toMatchObject({ found: true });
  });

  it('are malformed when there are fewer or more of them than there should be', () => {
    const whole = replyOf(row('registration'), row('abnormal'));
    expect(answerOf(whole.slice(0, -1))).toBe('malformed');
    expect(answerOf([...whole, { view: 'v_经营异常', record: { ...ROWS.abnormal, ROW_ID: 'R2' } }])).toBe(
      'malformed',
    );
    expect(answerOf([...whole, ...whole.slice(-1)])).toMatchObject({ found: true });
  });

  it('spoil the whole reply when they do not say what they are', () => {
    const sound = replyOf(row('registration'));
    const whole = (reply: readonly Record[]) => () => toAnswers(reply, [CODE], TODAY);
    expect(whole(sound.slice(1))).toThrow('as of when');
    expect(whole([...sound, sound[0] ?? {}])).toThrow('as of when');
    expect(whole([{ view: 'v_批次', record: { ...ROWS.batch, 数据提供方: 'å¤©æ´¥' } }])).toThrow(
      'character set',
    );
    expect(whole([...sound, { view: 'v_变更', record: {} }])).toThrow('whose it is');
    expect(whole([...sound, { what: 1 }])).toThrow('another shape');
    expect(
      whole([...sound, { view: 'v_企业登记', record: { ...ROWS.registration, 企业名称: '别家' } }]),
    ).toThrow('one number');
  });

  it('are never said in the error', () => {
    const [answer] = toAnswers(
      replyOf(row('registration', { 成立日期: '赵样本 120101190001010016' })),
      [CODE],
      TODAY,
    ).answers;
    expect(isLegacyError(answer) ? `${answer.message} ${String(answer.cause)}` : answer).toMatch(
      /\(成立日期\) undefined$/,
    );
  });
});

describe('rows of others', () => {
  it('are dropped and counted, whoever else was asked about', () => {
    const stray = row('abnormal', { 统一社会信用代码: OTHER });
    const other = row('registration', { 统一社会信用代码: OTHER, 主体身份代码: '2', ROW_ID: 'R9' });
    for (const codes of [[CODE], [CODE, OTHER]]) {
      const reply = replyOf(row('registration'), ...(codes.length > 1 ? [other] : []));
      const { answers, foreign } = toAnswers(
        [...reply, { view: VIEW.abnormal, record: stray[1] }],
        codes,
        TODAY,
      );
      expect(foreign).toBe(1);
      expect(answers).toMatchObject(codes.map(() => ({ found: true, facts: { abnormalOperations: [] } })));
    }
  });
});
