/** What the tax bureau has on each company, made up from (seed, code) as of a business date. */
import { isCreditCode } from '../../schema/identifiers/unified-social-credit-code.ts';
import { legalRepresentativeOf } from '../population/people.ts';
import { randomFor } from '../population/random.ts';
import type { Registration } from '../population/registration.ts';

export interface TaxRecords {
  readonly grades: readonly (readonly string[])[];
  readonly arrears: readonly (readonly string[])[];
  readonly violations: readonly (readonly string[])[];
}

const BUREAUS = [
  '国家税务总局天津市和平区税务局',
  '国家税务总局天津市滨海新区税务局',
  '国家税务总局天津市蓟州区税务局',
];
const TAXES = ['增值税', '企业所得税', '城市维护建设税', '房产税'];
const CASES = ['偷税', '逃避追缴欠税', '虚开增值税专用发票', '走逃（失联）'];

/** Columns of each record are in the order of the files (see files.ts). `today`: YYYY-MM-DD. */
export function makeTaxRecords(population: readonly Registration[], seed: string, today: string): TaxRecords {
  const records = { grades: [] as string[][], arrears: [] as string[][], violations: [] as string[][] };
  for (const [place, company] of population.entries()) {
    // The bureau has nobody without a proper code; the register does.
    if (!isCreditCode(company.code)) continue;
    const random = randomFor(seed, company.code, 'tax record');
    if (place > 0 && random.chance(0.1)) continue;
    const isAdverse = place > 0 && random.chance(0.06);
    // Some taxpayers still go by 20 digits: the code and two more.
    const id = random.chance(0.15) ? `${company.code}01` : company.code;
    records.grades.push(...gradesOf(company, id, seed, today, place === 0 ? 'A' : isAdverse ? 'D' : null));
    const hasArrears = isAdverse && random.chance(0.7);
    if (hasArrears) records.arrears.push(...arrearsOf(company, id, seed, today));
    if (isAdverse && (!hasArrears || random.chance(0.3)))
      records.violations.push(violationOf(company, id, seed, today));
  }
  return records;
}

const YUAN = new Intl.NumberFormat('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const withCommas = (amount: number) => YUAN.format(amount);

// Each April for the year before.
const latestYear = (today: string) => Number(today.slice(0, 4)) - (today.slice(5) >= '04-30' ? 1 : 2);

function gradesOf(
  { name, code, registeredOn }: Registration,
  taxpayerId: string,
  seed: string,
  today: string,
  fixed: string | null,
): string[][] {
  const random = randomFor(seed, code, 'tax grade');
  const latest = latestYear(today);
  const bureau = random.pick(BUREAUS);
  const usual = fixed ?? random.pick(['A', 'A', 'B', 'B', 'B', 'B', 'C']);
  return [latest - 1, latest].map((year) => {
    // M is for the new ones only.
    const grade = fixed === null && registeredOn.slice(0, 4) >= String(year) ? 'M' : usual;
    const paid = random.int(0, 90_000_000) / 100;
    return [name, taxpayerId, String(year), grade, bureau, withCommas(paid)];
  });
}

function arrearsOf(
  { name, code }: Registration,
  taxpayerId: string,
  seed: string,
  today: string,
): string[][] {
  const random = randomFor(seed, code, 'tax arrears');
  const person = legalRepresentativeOf(code, seed);
  const announcedOn = quarterEndBefore(today);
  return TAXES.slice(0, random.int(1, 2)).map((tax) => {
    const balance = random.int(100_000, 500_000_000) / 100;
    return [
      taxpayerId,
      name,
      person.name,
      `${person.citizenId.slice(0, 6)}********${person.citizenId.slice(14)}`,
      tax,
      withCommas(balance),
      withCommas(Math.round(balance * random.int(0, 50)) / 100),
      random.pick(BUREAUS),
      `津税欠告〔${announcedOn.slice(0, 4)}〕${random.int(1, 99)}号`,
      announcedOn.replaceAll('-', ''),
      random.chance(0.1) ? '1' : '0',
    ];
  });
}

function violationOf(
  { name, code }: Registration,
  taxpayerId: string,
  seed: string,
  today: string,
): string[] {
  const random = randomFor(seed, code, 'major tax violation');
  const year = Number(today.slice(0, 4));
  const publishedOn = random.date(`${year - 4}-01-01`, today);
  const decidedOn = random.date(`${year - 5}-01-01`, publishedOn);
  const isEnded = random.chance(0.2);
  return [
    name,
    taxpayerId,
    random.pick(CASES),
    '在账簿上少列收入，经津信测试䶮㛃税务师事务所协查属实',
    `追缴税款${random.int(100, 900)}万元并处罚款`,
    `津税稽罚〔${decidedOn.slice(0, 4)}〕${random.int(1, 200)}号`,
    '国家税务总局天津市税务局第一稽查局',
    decidedOn.replaceAll('-', ''),
    publishedOn.replaceAll('-', ''),
    isEnded ? random.date(publishedOn, today).replaceAll('-', '') : '',
    random.chance(0.1) ? '1' : '0',
  ];
}

function quarterEndBefore(today: string): string {
  const [year = 0, month = 1] = today.split('-').map(Number);
  return new Date(Date.UTC(year, month - 1 - ((month - 1) % 3), 0)).toISOString().slice(0, 10);
}
