/** What the courts' system holds about a company: made up from (seed, code), the same in every run of a day. */
import { TIANJIN_REGIONS } from '../../schema/identifiers/tianjin-regions.ts';
import { legalRepresentativeOf } from '../population/people.ts';
import type { Random } from '../population/random.ts';
import { randomFor } from '../population/random.ts';
import type { Registration } from '../population/registrations.ts';
import type { Row } from './data-faults.ts';

const DISTRICTS = TIANJIN_REGIONS.filter(({ status, code }) => status === 'CURRENT' && code !== '120000');
const BRACKETS = [
  ['（', '）'],
  ['(', ')'],
  ['〔', '〕'],
  ['[', ']'],
] as const;
const KINDS = [
  '有履行能力而拒不履行生效法律文书确定义务',
  '以虚假诉讼、虚假仲裁或者以隐匿、转移财产等方法规避执行',
  '违反财产报告制度',
  '违反限制消费令',
  '无正当理由拒不履行执行和解协议',
];
const CAUSES = ['买卖合同纠纷', '金融借款合同纠纷', '建设工程施工合同纠纷', '租赁合同纠纷', '劳动争议'];

/** About 6 % have adverse records, one in six of these more than a page full; 2 % only such as are past or removed. */
export function courtRecordsOf(registration: Registration, seed: string, now: number): readonly Row[] {
  const { code } = registration;
  const random = randomFor(seed, code, 'court profile');
  const roll = random.int(1, 1000);
  const write = createWriter(registration, seed, now);
  const judgments = random.chance(0.12) ? [write.judgment('被告')] : [];
  if (roll <= 40) return [write.listing(), write.restriction(), write.enforcement('执行中'), ...judgments];
  if (roll <= 50) return [write.enforcement('执行中'), ...judgments];
  if (roll <= 60) {
    const cases = Array.from({ length: random.int(11, 24) }, (_, at) =>
      write.enforcement(at % 3 === 0 ? '终结本次执行程序' : '执行中'),
    );
    return [write.listing(), write.restriction(), ...cases, ...judgments];
  }
  if (roll <= 80)
    return [write.pastListing(), write.liftedRestriction(), write.enforcement('已结案'), ...judgments];
  return judgments;
}

/** The sample company of the guides has been in court once, as the one who was owed. */
export function sampleRecords(registration: Registration, seed: string, now: number): readonly Row[] {
  return [createWriter(registration, seed, now).judgment('原告')];
}

/** A listing of somebody who is not `code`: the row that must never be shown. */
export function strangerRecord(code: string, seed: string, now: number): Row {
  const stranger = code === '91120116MA9TYN024H' ? '92120104MA9TYN032W' : '91120116MA9TYN024H';
  const nothing = { registeredOn: '', kind: '', capital: '', district: '' };
  return createWriter({ name: '天津津信测试外来有限公司', code: stranger, ...nothing }, seed, now).listing();
}

function createWriter(registration: Registration, seed: string, now: number) {
  const { code, name } = registration;
  const random = randomFor(seed, code, 'court rows');
  // Some courts' systems were never changed over from the organisation code to the 统一社会信用代码.
  const cardNum = toCardNum(code, random);
  const boss = legalRepresentativeOf(code, seed);
  const day = (yearsBack: number) => new Date(now - yearsBack * 365 * 86_400_000).toISOString().slice(0, 10);

  function common(xxlb: string, kind: string, from: number, to: number): Row & { regDate: string } {
    const regDate = random.date(day(from), day(to));
    const court = random.pick(DISTRICTS);
    const [open, close] = random.pick(BRACKETS);
    return {
      xxlb,
      type: '1',
      iname: name,
      sexy: '',
      age: '0',
      cardNum,
      businessEntity: boss.name,
      businessEntityCard: maskAtSource(boss.citizenId),
      courtName: `天津市${court.name}人民法院`,
      areaName: '天津',
      caseCode: `${open}${regDate.slice(0, 4)}${close}津0${court.code.slice(3)}${kind}${random.int(1, 9999)}号`,
      regDate: asWritten(regDate, random),
    };
  }
  function listing(from: number, to: number, kind: string, removeDate: string): Row {
    const row = common('01', '执', from + 0.3, from + 0.1);
    return {
      ...row,
      gistId: `(${Number(day(from).slice(0, 4)) - 1})津${random.pick(['01', '02', '03'])}民初${random.int(1, 999)}号`,
      gistUnit: '天津市第二中级人民法院',
      duty: '支付货款及利息',
      performance: '全部未履行',
      performedPart: '',
      unperformPart: '',
      disruptTypeName: kind,
      publishDate: asWritten(random.date(day(from), day(to)), random),
      extendYears: '0',
      removeDate,
      objection: random.chance(0.05) ? '1' : '0',
    };
  }
  function restriction(removeDate: string): Row {
    const row = common('02', '执', 1.5, 0.2);
    return { ...row, orderDate: row.regDate, applicant: '某银行天津分行', removeDate, objection: '0' };
  }
  return {
    listing: () => listing(1.6, 0.1, random.pick(KINDS), ''),
    pastListing: () => listing(5, 3, '违反财产报告制度', random.chance(0.5) ? day(0.5) : ''),
    restriction: () => restriction(''),
    liftedRestriction: () => restriction(day(0.1)),
    enforcement(caseState: string): Row {
      const money = random.int(5_000, 3_000_000);
      const closed = caseState === '执行中' ? '' : day(0.1);
      const performed = caseState === '已结案' ? money : 0;
      return {
        ...common('03', random.pick(['执', '执恢']), 1.8, 0.2),
        execMoney: money.toLocaleString('en-US', { minimumFractionDigits: 2 }),
        performedMoney: String(performed),
        caseState,
        closeDate: closed,
      };
    },
    judgment(role: string): Row {
      return {
        ...common('04', '民初', 4, 0.5),
        cause: random.pick(CAUSES),
        role,
        judgeDate: day(0.4),
        docType: '民事判决书',
        url: '',
      };
    },
  };
}

function toCardNum(code: string, random: Random): string {
  const organisation = code.slice(8, 17);
  const old = [`${organisation.slice(0, 8)}-${organisation.slice(8)}`, organisation] as const;
  return random.chance(0.3) ? random.pick(old) : code;
}

/** As the courts mask: `1201011900****0016`. */
const maskAtSource = (citizenId: string): string => `${citizenId.slice(0, 10)}****${citizenId.slice(14)}`;

function asWritten(date: string, random: Random): string {
  const [year = '', month = '', day = ''] = date.split('-');
  return random.pick([date, date, `${year}年${month}月${day}日`, `${year}${month}${day}`]);
}
