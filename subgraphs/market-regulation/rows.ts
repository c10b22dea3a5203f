/** The rows of the exchange database, parsed. The only file that knows its columns and codes. */
import { z } from 'zod';

/**
 * Everything about many subjects in one statement: the views' rows as JSON, each with the name of its view, and what the
 * exchange itself says about them: when they were written, and how many there are. $1: credit codes.
 * Rows are found by the code that they say and by the register's key alike, since some say the code of somebody else.
 */
export const EVERYTHING = `
WITH asked AS MATERIALIZED (
  SELECT array_agg("主体身份代码") AS keys FROM "v_企业登记" WHERE "统一社会信用代码" = ANY($1::text[])
)
SELECT 'v_批次' AS view, to_json(b) AS record FROM "v_批次" b
UNION ALL
SELECT 'v_对账', to_json(d) FROM "v_对账" d WHERE d."统一社会信用代码" = ANY($1::text[])
UNION ALL
SELECT 'v_企业登记', to_json(r) FROM "v_企业登记" r WHERE r."统一社会信用代码" = ANY($1::text[])
${['v_变更', 'v_经营异常', 'v_严重违法失信', 'v_抽查检查']
  .map(
    (view) => `UNION ALL
SELECT '${view}', to_json(t) FROM "${view}" t
 WHERE t."统一社会信用代码" = ANY($1::text[]) OR t."主体身份代码" = ANY((SELECT keys FROM asked)::text[])`,
  )
  .join('\n')}`;

export const DATA_VIEWS = ['v_企业登记', 'v_变更', 'v_经营异常', 'v_严重违法失信', 'v_抽查检查'] as const;
export type DataView = (typeof DATA_VIEWS)[number];

/** Text or nothing; so many ways of saying nothing are in use. Characters that could not be read make a row unreadable. */
const text = z
  .string()
  .nullable()
  .refine((value) => value === null || !value.includes('\ufffd'), 'characters are lost')
  .transform((value) => {
    const trimmed = value?.trim() ?? '';
    return ['', 'N/A', '无', 'NULL', 'null'].includes(trimmed) ? null : trimmed;
  });

/** YYYY-MM-DD, YYYYMMDD or YYYY/MM/DD, of a day that there is. */
const date = text.transform((value, context) => {
  if (value === null) return null;
  const [, year, month, day] = /^(\d{4})[-/]?(\d{2})[-/]?(\d{2})$/.exec(value) ?? [];
  const iso = `${year}-${month}-${day}`;
  if (year !== undefined && !Number.isNaN(Date.parse(iso)) && new Date(iso).toISOString().startsWith(iso))
    return iso;
  context.addIssue('is not a date');
  return z.NEVER;
});
const mustBe = <T>(schema: z.ZodType<T | null>) =>
  schema.transform((value, context): T => {
    if (value !== null) return value;
    context.addIssue('is missing');
    return z.NEVER;
  });
/** A code of a closed table → its word. An unknown code is an unreadable row: what it means may be anything. */
const codedOrNothing = <Word extends string>(words: Readonly<Record<string, Word>>) =>
  text.transform((value, context): Word | null => {
    if (value === null) return null;
    const word = words[value];
    if (word !== undefined) return word;
    context.addIssue('is a code that its table does not have');
    return z.NEVER;
  });
const coded = <Word extends string>(words: Readonly<Record<string, Word>>) => mustBe(codedOrNothing(words));
const objection = z.enum(['0', '1']).transform((value) => value === '1');

const shared = {
  ROW_ID: z.string().min(1),
  S_EXT_SEQUENCE: z.coerce.number().int(),
  S_EXT_FLAG: z.enum(['I', 'U', 'D']),
};

const STATES = {
  1: 'ACTIVE',
  2: 'REVOKED',
  3: 'DEREGISTERED',
  4: 'MOVED_OUT',
  5: 'CANCELLED',
  6: 'SUSPENDED',
  9: 'OTHER',
} as const;

export const registrationSchema = z.object({
  ...shared,
  注册号: text,
  企业名称: text,
  企业类型代码: text,
  注册资本: text,
  成立日期: date,
  行政区划: text,
  登记机关: text,
  // Must be there, but may be empty: a register that gives no state has not said that the company is in business.
  登记状态: codedOrNothing(STATES),
  法定代表人: text,
  曾用名: text,
});

export const changeSchema = z.object({
  ...shared,
  变更事项: mustBe(text),
  变更前: text,
  变更后: text,
  变更日期: mustBe(date),
  登记机关: text,
});

const listing = {
  ...shared,
  列入决定文书号: text,
  列入决定机关: text,
  列入日期: mustBe(date),
  移出日期: date,
  异议标识: objection,
};

export const abnormalSchema = z.object({
  ...listing,
  列入原因: coded({
    1: 'ANNUAL_REPORT_MISSING',
    2: 'INFORMATION_NOT_PUBLISHED',
    3: 'INFORMATION_FALSE',
    4: 'NOT_REACHABLE',
  }),
});

export const seriousSchema = z.object({ ...listing, 列入事由: text, 列入依据: text });

export const spotCheckSchema = z.object({
  ...shared,
  计划编号: text,
  任务名称: text,
  抽查类型: coded({ 1: 'TARGETED', 2: 'RANDOM' }),
  检查机关: text,
  检查日期: mustBe(date),
  检查结果: coded({
    1: 'NOTHING_FOUND',
    2: 'NOT_PUBLISHED',
    3: 'FALSE_INFORMATION',
    4: 'NOT_REACHABLE',
    5: 'ORDERED_TO_CORRECT',
    6: 'UNCOOPERATIVE',
    7: 'NOT_ENGAGED',
    8: 'TO_BE_FOLLOWED_UP',
  }),
});

/** The envelope of the statement above. */
export const envelopeSchema = z.object({ view: z.string(), record: z.record(z.string(), z.unknown()) });
/** Whose row it is, twice: by its code and by the register's key. */
export const ownerSchema = z.object({
  ROW_ID: z.string(),
  主体身份代码: z.string(),
  统一社会信用代码: z.string(),
});
export const batchSchema = z.object({ 数据提供方: z.string(), 数据时点: z.iso.datetime({ offset: true }) });
export const countSchema = z.object({
  视图: z.string(),
  统一社会信用代码: z.string(),
  行数: z.coerce.number().int().nonnegative(),
});
