/** Rows of the 人社 service, checked column by column. LB/T names; all values are text. */
import { z } from 'zod';
import type { LegacyRow } from '../../adapters/adapter.ts';

const text = z.string().trim();
const count = text.regex(/^\d{1,9}$/).transform(Number);
/** yyyyMMdd → YYYY-MM-DD. */
const day = text
  .regex(/^\d{8}$/)
  .transform((plain) => plain.replace(/^(....)(..)(..)$/, '$1-$2-$3'))
  .pipe(z.iso.date());
/** yyyyMM → YYYY-MM. */
const month = text
  .regex(/^\d{4}(0[1-9]|1[0-2])$/)
  .transform((plain) => plain.replace(/^(....)(..)$/, '$1-$2'));
const oneOf = <T extends Readonly<Record<string, string>>>(codes: T) =>
  text.refine((code) => Object.hasOwn(codes, code)).transform((code) => codes[code] as T[keyof T]);

const insuranceRow = z.object({
  YWLB: z.literal('1'),
  /** 险种. */
  AAE140: oneOf({
    '110': 'OLD_AGE',
    '120': 'OLD_AGE_PUBLIC',
    '210': 'UNEMPLOYMENT',
    '410': 'WORK_INJURY',
  } as const),
  /** 参保状态. */
  AAC008: oneOf({ '1': 'ACTIVE', '2': 'SUSPENDED', '3': 'ENDED' } as const),
  /** 缴费人数. */
  AAB119: count,
  /** 费款所属期. */
  AAE003: month,
  /** 连续缴费月数. */
  AAE202: count,
  /** 缴费标志. */
  AAE114: oneOf({ '0': 'PAID', '1': 'OWED', '2': 'DEFERRED' } as const),
});

const wageArrearsRow = z.object({
  YWLB: z.literal('2'),
  /** 列入决定文号; without it nothing is shown as adverse. */
  LRWH: text.nullable(),
  LRJG: text.min(1),
  LRYJ: text.min(1),
  LRRQ: day,
  /** 移出日期; empty while listed. */
  YCRQ: z.union([day, text.max(0).transform(() => null)]),
  SJRS: count,
  /** 元. */
  SJJE: text.regex(/^\d{1,12}(\.\d{1,2})?$/).transform(Number),
  ZRR: text.nullable(),
  /** 异议标志. */
  YYBZ: oneOf({ '0': 'NO', '1': 'YES' } as const).transform((mark) => mark === 'YES'),
});

const row = z.discriminatedUnion('YWLB', [insuranceRow, wageArrearsRow]);
export type HumanResourcesRow = z.infer<typeof row>;
export type InsuranceRow = z.infer<typeof insuranceRow>;
export type WageArrearsRow = z.infer<typeof wageArrearsRow>;

/** Null for a row that cannot be read; never a default for a column that cannot. */
export function parseRow(input: LegacyRow): HumanResourcesRow | null {
  const parsed = row.safeParse(input);
  return parsed.success ? parsed.data : null;
}
