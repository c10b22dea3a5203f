/** The bureau's nightly files ↔ our types: the only file that knows a legacy column name. */
import { z } from 'zod';
import { LegacyError } from '../../adapters/adapter.ts';
import type { Adapter, LegacyRow } from '../../adapters/adapter.ts';
import type { Feed } from '../../adapters/file-drop/feed.ts';
import type { FileFormat } from '../../adapters/file-drop/formats.ts';
import type { FileDropRequest } from '../../adapters/file-drop/reader.ts';
import type { Clock } from '../../adapters/clock.ts';
import { dayInChina } from '../../schema/china-time.ts';
import { toPlainCode } from '../../schema/identifiers/plain-text.ts';
import { isCreditCode } from '../../schema/identifiers/unified-social-credit-code.ts';
import type { Found, ReadSubjects } from '../loader.ts';
import { groupRows } from '../loader.ts';

export const SYSTEM = '税务信用数据交换';

const GRADES = ['A', 'B', 'M', 'C', 'D'] as const;

const text = z.string().min(1);
/** Yuan, written with commas and two decimals. */
const amount = z
  .string()
  .regex(/^\d{1,3}(,?\d{3})*(\.\d{1,2})?$/)
  .transform((written) => Number(written.replaceAll(',', '')));
/** 20260401 → 2026-04-01. */
const day = z
  .string()
  .regex(/^\d{8}$/)
  .transform((written) => written.replace(/^(....)(..)(..)$/, '$1-$2-$3'))
  .pipe(z.iso.date());
const mark = z.enum(['0', '1']).transform((written) => written === '1');

const gradeSchema = z
  .object({
    评价年度: z.string().regex(/^20\d\d$/),
    评价等级: z.enum(GRADES),
    评价机关: text,
    年度纳税额: amount,
  })
  .transform((row) => ({
    year: Number(row.评价年度),
    grade: row.评价等级,
    authority: row.评价机关,
    amount: row.年度纳税额,
  }));

// No document with legal effect, no adverse record: such a line is set aside when the file is read (条例 art. 12).
const arrearsSchema = z
  .object({
    税种: text,
    欠税余额: amount,
    当期新增: amount,
    公告机关: text,
    公告文号: text,
    公告日期: day,
    异议标志: mark,
  })
  .transform((row) => ({
    tax: row.税种,
    balance: row.欠税余额,
    newInPeriod: row.当期新增,
    documentNumber: row.公告文号,
    authority: row.公告机关,
    legalBasis: null,
    decidedOn: row.公告日期,
    publishedFrom: row.公告日期,
    publishedUntil: null,
    catalogueItem: 'tax.arrears',
    underObjection: row.异议标志,
  }));

const violationSchema = z
  .object({
    案件性质: text,
    主要违法事实: text,
    处理处罚情况: text,
    处罚决定文书号: text,
    决定机关: text,
    决定日期: day,
    公布日期: day,
    停止公布日期: z.literal('').or(day),
    异议标志: mark,
  })
  .transform((row) => ({
    nature: row.案件性质,
    facts: row.主要违法事实,
    decision: row.处理处罚情况,
    documentNumber: row.处罚决定文书号,
    authority: row.决定机关,
    legalBasis: '国家税务总局令第54号',
    decidedOn: row.决定日期,
    publishedFrom: row.公布日期,
    // Three years, or earlier where the bureau ended it (paid, and six months on).
    publishedUntil: row.停止公布日期 || addYears(row.公布日期, 3),
    endedOn: row.停止公布日期 || null,
    catalogueItem: 'tax.major-violation',
    underObjection: row.异议标志,
  }));

/** 纳税信用等级 (yearly), 欠税公告 (quarterly) and 重大税收违法, each delivered whole every night. */
export const FEEDS: readonly Feed[] = [
  defineFeed(
    'grades',
    /^NSXYDJ_(\d{8})\.txt$/,
    delimited('纳税人名称 纳税人识别号 评价年度 评价等级 评价机关 年度纳税额'),
    gradeSchema,
  ),
  defineFeed(
    'arrears',
    /^QSGG_(\d{8})\.txt$/,
    // Bytes, not characters.
    fixedWidth(
      '纳税人识别号:20 纳税人名称:80 法定代表人:30 证件号码:18 税种:20 欠税余额:18 当期新增:18 ' +
        '公告机关:60 公告文号:40 公告日期:8 异议标志:1',
    ),
    arrearsSchema,
  ),
  defineFeed(
    'violations',
    /^ZDSSWF_(\d{8})\.txt$/,
    delimited(
      '纳税人名称 纳税人识别号 案件性质 主要违法事实 处理处罚情况 处罚决定文书号 决定机关 决定日期 ' +
        '公布日期 停止公布日期 异议标志',
    ),
    violationSchema,
  ),
];

/** Empty lists and nulls are the bureau's word that it has nothing. */
export interface TaxFacts {
  /** Null: not graded for the latest year. */
  readonly isGradeA: boolean | null;
  readonly grade: (typeof GRADES)[number] | null;
  /** The latest year first. */
  readonly grades: readonly z.infer<typeof gradeSchema>[];
  readonly taxPaid: readonly z.infer<typeof gradeSchema>[];
  readonly arrears: readonly z.infer<typeof arrearsSchema>[];
  readonly majorViolations: readonly z.infer<typeof violationSchema>[];
}

function defineFeed(name: string, file: RegExp, format: FileFormat, schema: z.ZodType): Feed {
  return {
    name,
    file,
    format,
    subjectIn: /[0-9A-HJ-NPQRTUWXY]{18}/,
    subjectOf(record) {
      // Some still go by 20 digits: the code and two more.
      const subject = toPlainCode(record['纳税人识别号'] ?? '').slice(0, 18);
      if (!isCreditCode(subject)) {
        const meant = withoutLetterSwaps(subject);
        // Good enough to doubt what is known of a subject, never to show it somebody's line.
        const whose = isCreditCode(meant) ? meant : subject;
        return { subject: whose, reason: 'has a taxpayer number that is no credit code' };
      }
      const problem = schema.safeParse(record).error?.issues[0];
      return problem ? { subject, reason: `has an unusable ${problem.path.join('.')}` } : { subject };
    },
  };
}

const SWAPS: Readonly<Record<string, string>> = { O: '0', I: '1', Z: '2', S: '5' };
/** A credit code has no O, I, Z and S: typed ones are the digits that look like them. */
const withoutLetterSwaps = (code: string) => code.replace(/[OIZS]/g, (letter) => SWAPS[letter] ?? letter);

function delimited(columns: string): FileFormat {
  return { kind: 'delimited', separator: '|', columns: columns.split(' ') };
}

function fixedWidth(columns: string): FileFormat {
  return {
    kind: 'fixed-width',
    columns: columns
      .split(' ')
      .map((column) => column.split(':'))
      .map(([name = '', bytes]) => ({ name, bytes: Number(bytes) })),
  };
}

/** One statement for all subjects. `today` decides what is still within its publication. */
export function createTaxSource(
  reader: Adapter<FileDropRequest>,
  { clock, onForeign }: { clock: Clock; onForeign: (count: number) => void },
): ReadSubjects<TaxFacts> {
  return async (subjects, context) => {
    const codes = subjects.map((subject) => ('code' in subject ? subject.code : ''));
    const reply = await reader.call({ feeds: FEEDS.map(({ name }) => name), keys: codes }, context);
    const rows = groupRows(
      reply.rows,
      codes,
      ({ subject }) => (typeof subject === 'string' ? subject : null),
      onForeign,
    );
    const today = dayInChina(clock.now());
    return codes.map((code) => toFound(rows.get(code) ?? [], reply.asOf, today));
  };
}

function toFound(
  rows: readonly LegacyRow[],
  asOf: string | null,
  today: string,
): Found<TaxFacts> | LegacyError {
  try {
    // A bureau that sends a line twice says it once.
    const of = <T>(feed: string, schema: z.ZodType<T>): readonly T[] =>
      distinct(rows.filter((row) => row['feed'] === feed).map(({ record }) => schema.parse(record)));
    const years = of('grades', gradeSchema).toSorted((a, b) => b.year - a.year);
    if (new Set(years.map(({ year }) => year)).size < years.length)
      return new LegacyError('malformed', SYSTEM, 'has two different grades for one year');
    // What has been paid is announced no more, and leaves no trace.
    const arrears = of('arrears', arrearsSchema).filter(
      ({ publishedFrom, balance }) => publishedFrom <= today && balance > 0,
    );
    const majorViolations = of('violations', violationSchema).filter((violation) =>
      isPublished(violation, today),
    );
    const [latest] = years;
    // An A of years ago is history, not a place on the list of today.
    const grade =
      latest && latest.year >= latestYearOn(asOf === null ? today : dayInChina(Date.parse(asOf)))
        ? latest.grade
        : null;
    const facts: TaxFacts = {
      isGradeA: grade === null ? null : grade === 'A',
      grade,
      grades: years,
      taxPaid: years,
      arrears,
      majorViolations,
    };
    return { found: years.length + arrears.length + majorViolations.length > 0, facts, asOf };
  } catch (error) {
    // Also a record of null: a line that is this subject's, or may be, was set aside and nobody has corrected it yet.
    if (!(error instanceof z.ZodError)) throw error;
    return new LegacyError('malformed', SYSTEM, 'has a line that cannot be read', error);
  }
}

function distinct<T>(values: readonly T[]): T[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}

function isPublished(
  violation: {
    readonly publishedFrom: string;
    readonly publishedUntil: string;
    readonly endedOn: string | null;
  },
  today: string,
): boolean {
  const { publishedFrom, publishedUntil, endedOn } = violation;
  return publishedFrom <= today && (endedOn === null ? today <= publishedUntil : today < endedOn);
}

/** Each April grades are published for the year before: from May on nobody is without one who takes part. */
const latestYearOn = (date: string): number => Number(date.slice(0, 4)) - (date.slice(5, 7) >= '05' ? 1 : 2);

/** A period of years ends on the day of the same date; for 29 February, on the last of that month. */
function addYears(date: string, years: number): string {
  const year = Number(date.slice(0, 4)) + years;
  const same = `${year}${date.slice(4)}`;
  return z.iso.date().safeParse(same).success ? same : `${year}-02-28`;
}
