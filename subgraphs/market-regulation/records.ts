/** Parsed rows of one subject → what may be shown of them on a day. */
import { parseRegion, toCurrentRegion } from '../../schema/identifiers/region.ts';
import type { z } from 'zod';
import { toCapital } from './capital.ts';
import type { AbnormalListing, Change, Region, Registration, SeriousListing, SpotCheck } from './facts.ts';
import type {
  abnormalSchema,
  changeSchema,
  registrationSchema,
  seriousSchema,
  spotCheckSchema,
} from './rows.ts';

/** `rows`: the latest first, and that one holds: each change of the registration added one. Null when it says deleted. */
export function toRegistration(
  rows: readonly z.infer<typeof registrationSchema>[],
  code: string,
): Registration | null {
  const [latest] = rows;
  if (!latest || latest.S_EXT_FLAG === 'D') return null;
  return {
    name: latest.企业名称,
    formerNames: (latest.曾用名 ?? '')
      .split(/[;；]/)
      .map((name) => name.trim())
      .filter((name) => name !== ''),
    registrationNumber: latest.注册号,
    type: toType(latest.企业类型代码),
    typeCode: latest.企业类型代码,
    capital: toCapital(latest.注册资本),
    establishedOn: latest.成立日期,
    state: latest.登记状态,
    region: toRegion(latest.行政区划),
    registeredRegion: nameOf(code.slice(2, 8)),
    authority: latest.登记机关,
    legalRepresentative: latest.法定代表人,
  };
}

/** Codes of domiciles were not changed over when districts were: today's region, or the code as it is where it is unknown. */
function toRegion(code: string | null): Region | null {
  if (code === null) return null;
  const current = toCurrentRegion(code);
  return current ? { code: current.code, name: current.name } : nameOf(code);
}

function nameOf(code: string): Region {
  const region = parseRegion(code);
  return { code, name: region.ok ? region.value.name : null };
}

const TYPES: readonly (readonly [RegExp, string])[] = [
  [/^1110$/, 'STATE_OWNED_COMPANY'],
  [/^11[35]0$/, 'NATURAL_PERSON_COMPANY'],
  [/^11/, 'LIMITED_COMPANY'],
  [/^12/, 'JOINT_STOCK_COMPANY'],
  [/^1000$/, 'DOMESTIC_ENTERPRISE'],
  [/^450/, 'SOLE_PROPRIETORSHIP'],
  [/^453/, 'PARTNERSHIP'],
  [/^[56]\d{3}$/, 'FOREIGN_INVESTED'],
  [/^91/, 'COOPERATIVE'],
  [/^95/, 'SOLE_TRADER'],
];

function toType(code: string | null): string | null {
  if (code === null) return null;
  return TYPES.find(([form]) => form.test(code))?.[1] ?? 'OTHER';
}

const ITEMS: Readonly<Record<string, string>> = {
  '01': 'NAME',
  '02': 'DOMICILE',
  '03': 'LEGAL_REPRESENTATIVE',
  '04': 'CAPITAL',
  '05': 'SCOPE',
  '06': 'DEREGISTRATION',
};
/** What the sides of a change may be shown of: of a person, or of an item unknown to us, only that it changed. */
const WITHOUT_PERSONS = new Set(['NAME', 'DOMICILE', 'CAPITAL', 'SCOPE', 'DEREGISTRATION']);

export function toChange(row: z.infer<typeof changeSchema>): Change {
  const item = ITEMS[row.变更事项] ?? 'OTHER';
  const isShown = WITHOUT_PERSONS.has(item);
  return {
    item,
    before: isShown ? row.变更前 : null,
    after: isShown ? row.变更后 : null,
    changedOn: row.变更日期,
    authority: row.登记机关,
  };
}

const ABNORMAL_BASIS = '企业信息公示暂行条例';
const SERIOUS_BASIS = '市场监督管理严重违法失信名单管理办法（国家市场监督管理总局令第44号）';
const SERIOUS_TERM_YEARS = 3;

/** Null when it is not to be shown on `today`. A listing without a document has no legal effect: the caller sets it aside. */
export function toAbnormal(
  row: z.infer<typeof abnormalSchema>,
  documentNumber: string,
  today: string,
): AbnormalListing | null {
  if (!isInForce(row, null, today)) return null;
  return {
    ...toListing(row, documentNumber),
    legalBasis: ABNORMAL_BASIS,
    publishedUntil: null,
    catalogueItem: 'market-regulation.abnormal',
    reason: row.列入原因,
  };
}

/** As toAbnormal. It ends three years after the decision whether or not anybody removed it (总局令第44号). */
export function toSerious(
  row: z.infer<typeof seriousSchema>,
  documentNumber: string,
  today: string,
): SeriousListing | null {
  const publishedUntil = addYears(row.列入日期, SERIOUS_TERM_YEARS);
  if (!isInForce(row, publishedUntil, today)) return null;
  return {
    ...toListing(row, documentNumber),
    legalBasis: row.列入依据 ?? SERIOUS_BASIS,
    publishedUntil,
    catalogueItem: 'market-regulation.serious',
    facts: row.列入事由,
  };
}

export function toSpotCheck(row: z.infer<typeof spotCheckSchema>): SpotCheck {
  return {
    planNumber: row.计划编号,
    task: row.任务名称,
    type: row.抽查类型,
    authority: row.检查机关,
    checkedOn: row.检查日期,
    result: row.检查结果,
  };
}

type ListingRow = Pick<
  z.infer<typeof abnormalSchema>,
  'S_EXT_FLAG' | '列入决定机关' | '列入日期' | '移出日期' | '异议标识'
>;

function toListing(
  { 列入决定机关: authority, 列入日期: decidedOn, 异议标识: underObjection }: ListingRow,
  documentNumber: string,
) {
  return { documentNumber, authority, decidedOn, publishedFrom: decidedOn, underObjection };
}

function isInForce(row: ListingRow, until: string | null, today: string): boolean {
  if (row.S_EXT_FLAG === 'D' || today < row.列入日期) return false;
  if (until !== null && today >= until) return false;
  return row.移出日期 === null || today < row.移出日期;
}

/** The day of the same date; 29 February becomes the 28th where there is none. */
function addYears(date: string, years: number): string {
  const year = String(Number(date.slice(0, 4)) + years);
  const same = `${year}${date.slice(4)}`;
  return new Date(same).toISOString().startsWith(same) ? same : `${year}-02-28`;
}
