/** The register's exchange view v_企业登记, row by row → entries of the index. The only file that knows its columns. */
import { z } from 'zod';
import type { LegacyRow } from '../../adapters/adapter.ts';
import { LegacyError } from '../../adapters/adapter.ts';
import { parseCitizenId } from '../../schema/identifiers/citizen-id.ts';
import { parseCreditCode } from '../../schema/identifiers/unified-social-credit-code.ts';
import type { SubjectIds } from '../../schema/subject-id.ts';

/** In a batch of fewer rows nothing can be said about their share. */
const FEW = 50;
const MOST_REJECTED = 0.2;
/** What is left of Chinese letters that were read in another encoding: C1 controls, or the mark of a lost character. */
const GARBLED = /[\u0080-\u009f\ufffd]/;

export const EXCHANGE = '市场监管登记前置机';

/** Registration state; null when the register gives none, or one that its code table does not hold. */
export type RegistrationState =
  'ACTIVE' | 'REVOKED' | 'DEREGISTERED' | 'MOVED_OUT' | 'CANCELLED' | 'SUSPENDED' | 'OTHER';

export interface Registered {
  readonly subjectId: string;
  readonly name: string;
  readonly formerNames: readonly string[];
  readonly state: RegistrationState | null;
  /** Name and ID number of the legal representative, sealed; null when the register has no sound ID number. */
  readonly identity: string | null;
  /** SubjectId of the legal representative; null where `identity` is. */
  readonly personId: string | null;
}

/** One row understood: an entry, the end of one, or a row that cannot be indexed and why. */
export type RegisterChange = {
  readonly sequence: number;
  readonly anchor: string;
  readonly rowId: string;
} & (
  | { readonly change: 'registered'; readonly entry: Registered }
  | { readonly change: 'removed'; readonly subjectId: string }
  | { readonly change: 'rejected'; readonly reason: string }
);

const text = z
  .string()
  .nullish()
  .transform((value) => value?.trim() || null);

const rowSchema = z.object({
  anchor: z.string(),
  ROW_ID: z.union([z.string(), z.number()]).transform(String),
  S_EXT_SEQUENCE: z.coerce.number().int().positive(),
  S_EXT_FLAG: z.enum(['I', 'U', 'D']),
  企业名称: text,
  统一社会信用代码: text,
  登记状态: z.union([z.string(), z.number().transform(String)]).nullish(),
  法定代表人: text,
  法定代表人证件号: text,
  曾用名: text,
});

const STATES: Readonly<Record<string, RegistrationState>> = {
  1: 'ACTIVE',
  2: 'REVOKED',
  3: 'DEREGISTERED',
  4: 'MOVED_OUT',
  5: 'CANCELLED',
  6: 'SUSPENDED',
  9: 'OTHER',
};

/** What tells a row from the one that takes its place when the register is built anew. */
const ANCHOR = `"ROW_ID" || '@' || extract(epoch FROM "S_EXT_TIMESTAMP")`;

/** Rows after a sequence number, in its order: $1 the last one read, $2 at most so many. */
export const CHANGES_AFTER = `
  SELECT ${ANCHOR} AS anchor, "ROW_ID", "S_EXT_SEQUENCE", "S_EXT_FLAG", "企业名称", "统一社会信用代码", "登记状态",
         "法定代表人", "法定代表人证件号", "曾用名"
  FROM "v_企业登记" WHERE "S_EXT_SEQUENCE" > $1 ORDER BY "S_EXT_SEQUENCE" LIMIT $2`;

/**
 * The register as a whole: its last sequence number and the anchor of the row that has $1, how many rows it holds and how
 * many it says that it holds (对账), and the moment for which it speaks.
 */
export const REGISTER_STATE = `
  SELECT coalesce(max("S_EXT_SEQUENCE"), 0) AS last, max(${ANCHOR}) FILTER (WHERE "S_EXT_SEQUENCE" = $1) AS anchor,
         count(*) AS held, (SELECT sum("行数") FROM "v_对账" WHERE "视图" = 'v_企业登记') AS said,
         (SELECT to_char("数据时点" AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') FROM "v_批次") AS as_of
  FROM "v_企业登记"`;

const stateSchema = z.object({
  last: z.coerce.number(),
  anchor: z.string().nullable(),
  held: z.coerce.number(),
  said: z.coerce.number(),
  as_of: z.iso.datetime(),
});

export interface RegisterState {
  readonly last: number;
  readonly anchor: string | null;
  /** ISO 8601. */
  readonly asOf: string;
}

/** Throws LegacyError('malformed') when the view is not what it was: then nothing is indexed from it. */
export function toRegisterChange(row: LegacyRow, subjectIds: SubjectIds): RegisterChange {
  const parsed = rowSchema.safeParse(row);
  if (!parsed.success) throw drifted(parsed.error);
  const { ROW_ID: rowId, S_EXT_SEQUENCE: sequence, S_EXT_FLAG: flag, anchor, ...columns } = parsed.data;
  const place = { sequence, anchor, rowId };
  const code = parseCreditCode(columns.统一社会信用代码 ?? '');
  if (!code.ok) return { ...place, change: 'rejected', reason: `CREDIT_CODE_${code.code}` };
  const subjectId = subjectIds.ofOrganisation(code.value);
  if (flag === 'D') return { ...place, change: 'removed', subjectId };
  if (columns.企业名称 === null) return { ...place, change: 'rejected', reason: 'NAME_MISSING' };
  if (GARBLED.test(columns.企业名称)) return { ...place, change: 'rejected', reason: 'NAME_GARBLED' };
  const entry = {
    subjectId,
    name: columns.企业名称,
    formerNames: (columns.曾用名 ?? '')
      .split(/[;；、|]/)
      .map((name) => name.trim())
      .filter((name) => name !== ''),
    state: STATES[columns.登记状态?.trim() ?? ''] ?? null,
    ...toRepresentative(columns.法定代表人, columns.法定代表人证件号, subjectIds),
  };
  return { ...place, change: 'registered', entry };
}

/** Throws LegacyError('malformed') when rows are missing or stand twice: nobody is absent because a view was cut short. */
export function toRegisterState(rows: readonly LegacyRow[]): RegisterState {
  const parsed = stateSchema.safeParse(rows[0]);
  if (!parsed.success) throw drifted(parsed.error);
  const { last, anchor, held, said, as_of: asOf } = parsed.data;
  if (held !== said)
    throw new LegacyError('malformed', EXCHANGE, `holds ${held} rows and says that it holds ${said}`);
  return { last, anchor, asOf };
}

/**
 * Throws LegacyError('malformed') when too many rows of a batch cannot be indexed for it to be their own fault: else a view
 * that is garbled for an hour would set everybody aside for good.
 */
export function assertMostlySound(changes: readonly RegisterChange[]): void {
  const rejected = changes.filter(({ change }) => change === 'rejected').length;
  if (changes.length >= FEW && rejected > changes.length * MOST_REJECTED)
    throw new LegacyError(
      'malformed',
      EXCHANGE,
      `answered ${changes.length} rows of which ${rejected} make no sense`,
    );
}

function toRepresentative(
  name: string | null,
  number: string | null,
  subjectIds: SubjectIds,
): Pick<Registered, 'identity' | 'personId'> {
  const parsed = parseCitizenId(number ?? '');
  if (name === null || !parsed.ok) return { identity: null, personId: null };
  const citizenId = parsed.value;
  return { identity: subjectIds.sealIdentity({ name, citizenId }), personId: subjectIds.ofPerson(citizenId) };
}

/** Names the columns that do not fit, never what stood in them. */
function drifted(error: z.ZodError): LegacyError {
  const columns = [...new Set(error.issues.map(({ path }) => path.join('.')))].join(', ');
  return new LegacyError('malformed', EXCHANGE, `answered rows of another shape (${columns})`);
}
