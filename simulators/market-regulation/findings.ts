/** What the regulator found about a company: changes, lists, spot checks. About one company in twenty is listed today. */
import type { Random } from '../population/random.ts';
import { randomFor } from '../population/random.ts';
import type { Registration } from '../population/registrations.ts';
import type { Row, State, SubjectRecords } from './records.ts';
import { PROVIDER } from './views.ts';

interface Subject {
  readonly registration: Registration;
  readonly key: string;
  readonly seed: string;
  /** YYYY-MM-DD. */
  readonly today: string;
  readonly formerNames: readonly string[];
  readonly isSample: boolean;
  readonly state: State;
}

const DAY = 86_400_000;
const SERIOUS_BASIS = '市场监督管理严重违法失信名单管理办法（国家市场监督管理总局令第44号）';

export function findingsOf(subject: Subject): Omit<SubjectRecords, 'registrations'> {
  const { registration, seed, isSample } = subject;
  const random = randomFor(seed, registration.code, 'findings of the register');
  const ago = (days: number): string =>
    new Date(Date.parse(subject.today) - days * DAY).toISOString().slice(0, 10);
  const row = (cells: Row['cells']): Row => ({ key: subject.key, code: registration.code, flag: 'I', cells });
  return {
    changes: changesOf(subject, random, ago).map(row),
    abnormal: isSample ? [] : abnormalOf(random, ago).map(row),
    serious: isSample ? [] : seriousOf(random, ago).map(row),
    spotChecks: spotChecksOf(random, ago, isSample).map(row),
  };
}

type Ago = (days: number) => string;

function changesOf(
  { registration, formerNames, isSample, state }: Subject,
  random: Random,
  ago: Ago,
): Row['cells'][] {
  const change = (item: string, before: string, after: string, days: number) => ({
    变更事项: item,
    变更前: before,
    变更后: after,
    // Dates are written without dashes in this view.
    变更日期: ago(days).replaceAll('-', ''),
    登记机关: PROVIDER,
  });
  return [
    ...formerNames.map((name) => change('01', name, registration.name, random.int(700, 3_000))),
    ...(isSample || random.chance(0.3)
      ? [change('05', '商品销售', '商品销售；技术服务', random.int(30, 2_000))]
      : []),
    ...(!isSample && random.chance(0.1)
      ? [change('04', '10(万元人民币)', registration.capital, random.int(30, 2_000))]
      : []),
    ...(state === '3' ? [change('06', '', '注销', random.int(1, 600))] : []),
  ];
}

function abnormalOf(random: Random, ago: Ago): Row['cells'][] {
  const listed = (days: number, removedAfter: number | null) => ({
    列入原因: random.pick(['1', '1', '2', '3', '4']),
    列入决定文书号: `津市监异列〔${ago(days).slice(0, 4)}〕${random.int(1, 9_999)}号`,
    列入决定机关: PROVIDER,
    列入日期: ago(days),
    移出日期: removedAfter === null ? null : ago(days - removedAfter),
    移出原因: removedAfter === null ? null : '已补报年报并公示，申请移出',
    异议标识: random.chance(0.05) ? '1' : '0',
  });
  return [
    ...(random.chance(0.02) ? [listed(random.int(400, 1_500), random.int(10, 300))] : []),
    ...(random.chance(0.04) ? [listed(random.int(5, 900), null)] : []),
  ];
}

function seriousOf(random: Random, ago: Ago): Row['cells'][] {
  if (!random.chance(0.008)) return [];
  // Some were listed more than three years ago: their term is over whether or not anybody removed them.
  const days = random.int(20, 1_400);
  return [
    {
      列入事由: random.pick([
        '生产销售不符合食品安全标准的食品',
        '伪造、冒用他人企业名义进行虚假登记',
        '特种设备领域严重违法',
      ]),
      列入依据: SERIOUS_BASIS,
      列入决定文书号: `津市监严列〔${ago(days).slice(0, 4)}〕${random.int(1, 999)}号`,
      列入决定机关: PROVIDER,
      列入日期: ago(days),
      移出日期: null,
      移出原因: null,
      异议标识: random.chance(0.05) ? '1' : '0',
    },
  ];
}

function spotChecksOf(random: Random, ago: Ago, isSample: boolean): Row['cells'][] {
  const count = isSample ? 1 : random.chance(0.2) ? random.int(1, 2) : 0;
  return Array.from({ length: count }, () => {
    const date = ago(random.int(10, 1_800));
    return {
      计划编号: `津双随机${date.slice(0, 4)}-${random.int(1, 60)}`,
      任务名称: `${date.slice(0, 4)}年度企业公示信息抽查`,
      抽查类型: random.pick(['1', '2', '2']),
      检查机关: PROVIDER,
      检查日期: date,
      检查结果: isSample ? '1' : random.pick(['1', '1', '1', '1', '2', '4', '5', '7', '8']),
    };
  });
}
