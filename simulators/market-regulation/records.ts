/** What the register holds of a company: the registration as it is in the population, the rest made up from (seed, code). */
import { toCurrentRegion } from '../../schema/identifiers/region.ts';
import { registrationCheckDigit } from '../../schema/identifiers/registration-number.ts';
import {
  CREDIT_CODE_ALPHABET,
  isCreditCode,
  makeCreditCode,
} from '../../schema/identifiers/unified-social-credit-code.ts';
import { legalRepresentativeOf } from '../population/people.ts';
import type { Random } from '../population/random.ts';
import { randomFor } from '../population/random.ts';
import type { Registration } from '../population/registrations.ts';
import { findingsOf } from './findings.ts';
import { PROVIDER } from './views.ts';

/** A row without the columns that the exchange adds (see load.ts); `key` is 主体身份代码. */
export interface Row {
  readonly key: string;
  readonly code: string;
  readonly flag: 'I' | 'U' | 'D';
  readonly cells: Readonly<Record<string, string | null>>;
}

export interface SubjectRecords {
  readonly registrations: readonly Row[];
  readonly changes: readonly Row[];
  readonly abnormal: readonly Row[];
  readonly serious: readonly Row[];
  readonly spotChecks: readonly Row[];
}

export type State = '1' | '2' | '3' | '4' | '5' | '6' | '9';

const REGION_OF: Readonly<Record<string, readonly string[]>> = {
  和平: ['120101'],
  河东: ['120102'],
  河西: ['120103'],
  南开: ['120104'],
  河北: ['120105'],
  红桥: ['120106'],
  东丽: ['120110'],
  西青: ['120111'],
  津南: ['120112', '120112', '120195'],
  北辰: ['120113'],
  武清: ['120114', '120114', '120222'],
  宝坻: ['120115', '120115', '120224'],
  滨海: ['120116', '120116', '120107', '120108', '120109', '120120'],
  保税区: ['120116'],
  自贸区: ['120116'],
  宁河: ['120117', '120221'],
  静海: ['120118', '120223'],
  蓟州: ['120119', '120225'],
};

/** `place` in the population: the first company is the sample of guides and examples, and is clean. `today`: YYYY-MM-DD. */
export function recordsOf(
  registration: Registration,
  place: number,
  seed: string,
  today: string,
): SubjectRecords {
  const { code, name } = registration;
  const key = `12${String(place).padStart(10, '0')}`;
  // What has no code of its own cannot be asked about; its row stands in the register all the same.
  if (!isCreditCode(code)) {
    const random = randomFor(seed, key, 'registration at the register');
    const only = toCells(registration, key, { state: '1', name, formerNames: [], random, seed });
    return {
      registrations: [{ key, code, flag: 'I', cells: only }],
      changes: [],
      abnormal: [],
      serious: [],
      spotChecks: [],
    };
  }
  const random = randomFor(seed, code, 'registration at the register');
  const state = place === 0 ? '1' : stateOf(random);
  const formerNames = place !== 0 && random.chance(0.15) ? [toFormerName(name)] : [];
  const own = { state, formerNames, random, seed };
  const latest = toCells(registration, code, { ...own, name });
  const findings = findingsOf({ registration, key, seed, today, formerNames, isSample: place === 0, state });
  const earlier = formerNames.map((former) => ({
    key,
    code,
    flag: 'I' as const,
    cells: { ...latest, 企业名称: former, 曾用名: null, 登记状态: '1' },
  }));
  return {
    ...findings,
    registrations: [...earlier, { key, code, flag: earlier.length > 0 ? 'U' : 'I', cells: latest }],
  };
}

/**
 * Companies that the population does not know, because they are deregistered: the row of every second one is flagged as
 * deleted, that of the others is gone, while what else was filed about them still stands.
 */
export function deregisteredCompanies(size: number): readonly Registration[] {
  const count = Math.min(MOST_DEREGISTERED, Math.max(2, Math.ceil(size / 500)));
  return Array.from({ length: count }, (_, at) => ({
    name: `天津津信测试注销${at + 1}号商贸有限公司`,
    code: makeCreditCode({
      department: '9',
      category: '1',
      region: '120101',
      body8: `G${inBase31(at)}TYN01`,
    }),
    registeredOn: '2009-06-01',
    kind: '有限责任公司',
    capital: '50(万元人民币)',
    district: '和平',
  }));
}

export function recordsOfDeregistered(
  registration: Registration,
  at: number,
  seed: string,
  today: string,
): SubjectRecords {
  const { code, name } = registration;
  const key = `12D${String(at).padStart(9, '0')}`;
  const random = randomFor(seed, code, 'registration at the register');
  const cells = toCells(registration, code, { state: '3', name, formerNames: [], random, seed });
  const findings = findingsOf({
    registration,
    key,
    seed,
    today,
    formerNames: [],
    isSample: false,
    state: '3',
  });
  const was = { key, code, flag: 'I' as const, cells: { ...cells, 登记状态: '1' } };
  return { ...findings, registrations: at % 2 === 0 ? [was, { key, code, flag: 'D', cells }] : [] };
}

const MOST_DEREGISTERED = 31 ** 2;
const inBase31 = (at: number): string =>
  CREDIT_CODE_ALPHABET.charAt(Math.floor(at / 31)) + CREDIT_CODE_ALPHABET.charAt(at % 31);

/** The code of nobody in any population: whose row strays into others' answers. */
export const STRANGER = makeCreditCode({
  department: '9',
  category: '1',
  region: '120116',
  body8: 'G99TYN99',
});

function stateOf(random: Random): State {
  const share = random.int(1, 1000);
  if (share <= 12) return '2';
  if (share <= 20) return '3';
  if (share <= 22) return '4';
  if (share <= 23) return '5';
  if (share <= 28) return '6';
  return '1';
}

function toCells(
  { registeredOn, kind, capital, district, code }: Registration,
  key: string,
  {
    state,
    name,
    formerNames,
    random,
    seed,
  }: { state: State; name: string; formerNames: readonly string[]; random: Random; seed: string },
): Readonly<Record<string, string | null>> {
  const person = legalRepresentativeOf(key, seed);
  const region = random.pick(REGION_OF[district] ?? [null]);
  return {
    注册号: toRegistrationNumber(random, region, code),
    企业名称: name,
    企业类型代码: typeCodeOf(name, kind, code, random),
    企业类型: kind,
    注册资本: capital,
    成立日期: registeredOn,
    行政区划: region,
    登记机关: region === null ? PROVIDER : `天津市${toCurrentRegion(region)?.name ?? ''}市场监督管理局`,
    登记状态: state,
    法定代表人: person.name,
    法定代表人证件号: person.citizenId,
    曾用名: formerNames.length > 0 ? formerNames.join('；') : null,
  };
}

function toFormerName(name: string): string {
  if (name.includes('有限责任公司')) return name.replace('有限责任公司', '有限公司');
  return name.includes('有限公司') ? name.replace('有限公司', '开发有限公司') : `${name}（筹）`;
}

/** 15 digits, 13 from before 2007, or none. */
function toRegistrationNumber(random: Random, region: string | null, code: string): string | null {
  const serial = String(random.int(0, 999_999)).padStart(6, '0');
  const holder = code.startsWith('92') ? '60' : '00';
  const share = random.int(1, 10);
  if (share === 1) return null;
  const first = region ?? '120000';
  if (share === 2) return `${first}${holder.charAt(0)}${serial}`;
  return `${first}${holder}${serial}${registrationCheckDigit(`${first}${holder}${serial}`)}`;
}

function typeCodeOf(name: string, kind: string, code: string, random: Random): string {
  if (code.startsWith('92') || kind === '个体工商户') return '9500';
  if (code.startsWith('93')) return '9100';
  if (kind === '个人独资企业') return '4500';
  if (kind === '普通合伙') return '4530';
  if (kind.includes('外商投资')) return '5000';
  if (kind.includes('港、澳、台')) return '6000';
  if (name.includes('股份有限公司')) return '1200';
  return name.includes('有限') ? random.pick(['1100', '1130', '1130', '1150']) : '1000';
}
