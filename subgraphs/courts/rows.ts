/** 法院信用信息查询: the rows of the courts' system, parsed. Only this file and source.ts know its columns. */
import { z } from 'zod';
import { toHalfWidth, withoutWhiteSpace } from '../../schema/identifiers/plain-text.ts';
import { parseCaseNumber } from './case-number.ts';
import type { DisruptKind } from './publication.ts';

const DATE_FORMS = [
  /^(\d{4})-(\d{2})-(\d{2})$/,
  /^(\d{4})\/(\d{1,2})\/(\d{1,2})$/,
  /^(\d{4})年(\d{1,2})月(\d{1,2})日$/,
  /^(\d{4})(\d{2})(\d{2})$/,
];

/** Four ways to write a day → YYYY-MM-DD; a day that no calendar has is refused. */
const date = z.string().transform((text, context) => {
  const [, year = '', month = '', day = ''] = DATE_FORMS.map((form) => form.exec(text)).find(Boolean) ?? [];
  const iso = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
  if (year !== '' && z.iso.date().safeParse(iso).success) return iso;
  context.addIssue('not a date');
  return z.NEVER;
});
const blankOr = <T extends z.ZodType>(schema: T) => z.union([z.literal('').transform(() => null), schema]);

/** "1,234,567.00" in yuan. */
const yuan = z
  .string()
  .regex(/^\d{1,3}(,\d{3})*(\.\d{1,2})?$|^\d{1,14}(\.\d{1,2})?$/)
  .transform((text) => Number(text.replaceAll(',', '')));

const caseNumber = z.string().transform((text, context) => {
  const parsed = parseCaseNumber(text);
  if (parsed) return parsed;
  context.addIssue('not a case number');
  return z.NEVER;
});

/** The document that a listing rests on: a case number where it is one, else as written but for brackets and spaces. */
const documentNumber = z.string().transform((text) => {
  const plain = toHalfWidth(withoutWhiteSpace(text));
  if (plain === '') return null;
  return parseCaseNumber(plain)?.text ?? plain.replace(/[([【]/g, '〔').replace(/[)\]】]/g, '〕');
});

const PERFORMANCE = {
  全部未履行: 'NOT_PERFORMED',
  部分履行: 'PARTLY_PERFORMED',
  全部已履行: 'PERFORMED',
} as const;

/** The six kinds by words that their several wordings share. One cell may hold more than one kind. */
const KINDS: readonly (readonly [RegExp, DisruptKind])[] = [
  [/有履行能力而拒不履行/, 'ABLE_BUT_REFUSED'],
  [/暴力|威胁|伪造证据/, 'OBSTRUCTED_ENFORCEMENT'],
  [/虚假诉讼|虚假仲裁|隐匿|转移财产|规避执行/, 'EVADED_ENFORCEMENT'],
  [/违反财产报告/, 'BROKE_REPORTING_DUTY'],
  [/违反限制(高)?消费/, 'BROKE_CONSUMPTION_ORDER'],
  [/拒不履行执行和解/, 'REFUSED_SETTLEMENT'],
];
const kinds = z.string().transform((text, context) => {
  const found = KINDS.filter(([words]) => words.test(text)).map(([, kind]) => kind);
  if (found.length > 0) return found;
  // The term of publication depends on it: an unknown kind has no safe reading.
  context.addIssue('not a kind of dishonesty');
  return z.NEVER;
});

const objection = z.enum(['0', '1']).transform((mark) => mark === '1');
const common = { caseCode: caseNumber, courtName: z.string().min(1), regDate: date };

/** `xxlb` 信息类别: 01 失信被执行人, 02 限制消费, 03 被执行人, 04 裁判文书. Another one may be adverse and is refused. */
const rowSchema = z.discriminatedUnion('xxlb', [
  z.object({
    ...common,
    xxlb: z.literal('01'),
    gistId: documentNumber,
    duty: z.string(),
    performance: z.enum(['全部未履行', '部分履行', '全部已履行']).transform((text) => PERFORMANCE[text]),
    disruptTypeName: kinds,
    publishDate: date,
    extendYears: z.enum(['', '0', '1', '2', '3']).transform(Number),
    removeDate: blankOr(date),
    objection,
  }),
  z.object({
    ...common,
    xxlb: z.literal('02'),
    businessEntity: z.string(),
    orderDate: date,
    removeDate: blankOr(date),
    objection,
  }),
  z.object({
    ...common,
    xxlb: z.literal('03'),
    execMoney: yuan,
    performedMoney: yuan,
    caseState: z.enum(['执行中', '终结本次执行程序', '已结案']),
    closeDate: blankOr(date),
  }),
  z.object({
    ...common,
    xxlb: z.literal('04'),
    cause: z.string(),
    role: z.string(),
    judgeDate: date,
    docType: z.string(),
    url: blankOr(z.url({ protocol: /^https?$/ })),
  }),
]);

export type CourtRow = z.infer<typeof rowSchema>;

/** Null where a row cannot be understood: that one subject's answer cannot be trusted then. */
export function parseCourtRow(row: unknown): CourtRow | null {
  const parsed = rowSchema.safeParse(row);
  return parsed.success ? parsed.data : null;
}
