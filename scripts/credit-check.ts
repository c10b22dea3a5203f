/** One credit check, asked as a bank's program asks it, and shown as a table or as one JSON object. */
import Table from 'cli-table3';
import { request } from 'undici';
import { z } from 'zod';
import { parseCreditCode } from '../schema/identifiers/unified-social-credit-code.ts';

export interface CreditCheckResult {
  readonly subject: { readonly code: string | null; readonly name: string | null };
  readonly sources: readonly {
    readonly department: string;
    readonly status: string;
    readonly asOf: string | null;
    readonly ms: number | null;
    readonly findings: number | null;
  }[];
  readonly completeness: number | null;
  readonly assessment: {
    readonly conclusion: string;
    readonly score: number | null;
    readonly reasons: readonly { readonly zh: string; readonly en: string }[] | null;
  } | null;
  readonly receipt: unknown;
  readonly elapsedMs: number;
}

/** Why there is nothing to show, and where in the answer. */
export interface CheckProblem {
  readonly code: string;
  readonly message: string;
  readonly paths: readonly string[];
}

/** A check without an answer: everything that could not be found out is null, and `errors` says why. */
export interface RefusedCheck {
  readonly subject: CreditCheckResult['subject'] | null;
  readonly sources: null;
  readonly completeness: null;
  readonly assessment: null;
  readonly errors: readonly CheckProblem[];
}

/** What the reader can be told and do something about. `code` is one of docs/errors.md, or says what the command met. */
export class CheckError extends Error {
  readonly refused: RefusedCheck;
  constructor(
    code: string,
    message: string,
    refused: Partial<Pick<RefusedCheck, 'subject' | 'errors'>> = {},
  ) {
    super(message);
    this.name = 'CheckError';
    this.refused = {
      subject: refused.subject ?? null,
      sources: null,
      completeness: null,
      assessment: null,
      errors: refused.errors ?? [{ code, message, paths: [] }],
    };
  }
}

export const CHECK_QUERY = `query CreditCheck($code: CreditCode!, $purpose: Purpose!, $product: ID) {
  creditCheck(input: { subject: $code, purpose: $purpose, product: $product }) {
    subject { code name }
    sources { department status asOf ms findings }
    completeness
    assessment { conclusion score reasons { zh en } }
  }
}`;

const SEARCH_QUERY = `query Search($name: String!) {
  searchCreditSubjects(name: $name, first: 5) { score subject { code name } }
}`;

const subjectSchema = z.object({ code: z.string().nullable(), name: z.string().nullable() });
const searchSchema = z.object({
  searchCreditSubjects: z.array(z.object({ score: z.number(), subject: subjectSchema })),
});
const checkSchema = z.object({
  creditCheck: z
    .object({
      subject: subjectSchema,
      sources: z
        .array(
          z.object({
            department: z.string(),
            status: z.string(),
            asOf: z.string().nullable(),
            ms: z.number().nullable(),
            findings: z.number().nullable(),
          }),
        )
        .nullable(),
      completeness: z.number().nullable(),
      assessment: z
        .object({
          conclusion: z.string(),
          score: z.number().nullable(),
          reasons: z.array(z.object({ zh: z.string(), en: z.string() })).nullable(),
        })
        .nullable(),
    })
    .nullable(),
});
const answerSchema = z.object({
  data: z.unknown().optional(),
  errors: z
    .array(
      z.object({
        message: z.string(),
        path: z.array(z.union([z.string(), z.number()])).optional(),
        extensions: z.looseObject({ code: z.string().optional() }).optional(),
      }),
    )
    .optional(),
  extensions: z.looseObject({ receipt: z.unknown().optional() }).optional(),
});

interface Endpoint {
  readonly url: string;
  readonly token: string | null;
  readonly purpose: string;
  /** Id of a loan product; left out: the standard one. */
  readonly product?: string | undefined;
}

/** `subject`: a code, or a name that finds one company. Throws CheckError. */
export async function runCreditCheck(endpoint: Endpoint, subject: string): Promise<CreditCheckResult> {
  const code = await resolveCode(endpoint, subject);
  const startedAt = performance.now();
  const answer = await ask(endpoint, CHECK_QUERY, {
    code,
    purpose: endpoint.purpose,
    // Left out and not null: only then does the graph's own default hold.
    ...(endpoint.product === undefined ? {} : { product: endpoint.product }),
  });
  const elapsedMs = Math.round(performance.now() - startedAt);
  const parsed = checkSchema.safeParse(answer.data);
  const check = parsed.success ? parsed.data.creditCheck : null;
  if (!check?.sources) throw toRefusal(answer.errors, check?.subject ?? null);
  return {
    subject: check.subject,
    sources: check.sources,
    completeness: check.completeness,
    assessment: check.assessment,
    receipt: answer.extensions?.receipt ?? null,
    elapsedMs,
  };
}

async function resolveCode(endpoint: Endpoint, subject: string): Promise<string> {
  const parsed = parseCreditCode(subject);
  if (parsed.ok) return parsed.value;
  // Eighteen characters of the alphabet were meant as a code: say what is wrong with it instead of searching for it.
  if (/^[0-9A-Za-z]{15,20}$/.test(subject.trim()))
    throw new CheckError(
      'INVALID_CREDIT_CODE',
      `INVALID_CREDIT_CODE (${parsed.code}): ${parsed.messageZh} ${parsed.message}${parsed.hint ? `\n${parsed.hint}` : ''}`,
    );
  const { data, errors } = await ask(endpoint, SEARCH_QUERY, { name: subject });
  const found = searchSchema.safeParse(data);
  if (!found.success) throw toRefusal(errors, null);
  const matches = found.data.searchCreditSubjects;
  const exact = matches.filter(({ score }) => score >= 1);
  const [match] = exact;
  if (exact.length === 1 && match?.subject.code) return match.subject.code;
  const list = matches.map(
    ({ score, subject: { code, name } }) => `  ${code ?? '?'}  ${name ?? '?'}  (${score.toFixed(2)})`,
  );
  throw new CheckError(
    list.length === 0 ? 'SUBJECT_NOT_FOUND' : 'SEVERAL_SUBJECTS',
    list.length === 0
      ? '没有找到此名称的信用主体。 No credit subject of this name was found.'
      : `请用代码指明哪一个： Say which one by its code:\n${list.join('\n')}`,
  );
}

type AnswerErrors = z.infer<typeof answerSchema>['errors'];

/** One line for every different reason, with the paths that it concerns: three null fields have one cause more often than three. */
function toRefusal(errors: AnswerErrors, subject: RefusedCheck['subject']): CheckError {
  const problems = new Map<string, CheckProblem>();
  for (const { message, path = [], extensions } of errors ?? []) {
    const code = extensions?.code ?? 'UNKNOWN';
    const paths = [
      ...(problems.get(code + message)?.paths ?? []),
      ...(path.length > 0 ? [path.join('.')] : []),
    ];
    problems.set(code + message, { code, message, paths });
  }
  if (problems.size === 0) {
    const message = '端点既无数据也无错误说明。 The endpoint gave neither data nor a reason.';
    problems.set('', { code: 'UNKNOWN', message, paths: [] });
  }
  const reasons = [...problems.values()];
  const text = [
    ...(subject === null ? [] : [`${subject.name ?? '?'}  ${subject.code ?? ''}`]),
    '没有可出示的核查结果；这不表示清白。 There is no result to show; that is not a clean record.',
    ...reasons.map(
      ({ code, message, paths }) =>
        `  ✗ ${code}: ${message}${paths.length > 0 ? `\n    ${paths.join(', ')}` : ''}`,
    ),
  ].join('\n');
  return new CheckError(reasons[0]?.code ?? 'UNKNOWN', text, { subject, errors: reasons });
}

/** Longer than the gateway's own deadline: only an endpoint that hangs is given up on. */
const PATIENCE_MS = 30_000;

async function ask(endpoint: Endpoint, query: string, variables: object) {
  try {
    const response = await request(endpoint.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'jinxin-purpose': endpoint.purpose,
        ...(endpoint.token === null ? {} : { authorization: `Bearer ${endpoint.token}` }),
      },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const answer = answerSchema.parse(await response.body.json());
    // Another HTTP service that speaks JSON: its words are not an answer.
    if (answer.data === undefined && answer.errors === undefined) throw new SyntaxError();
    return answer;
  } catch (error) {
    if (error instanceof z.ZodError || error instanceof SyntaxError)
      throw new CheckError(
        'NOT_GRAPHQL',
        `${endpoint.url} 的答复不是 GraphQL。 It did not answer with GraphQL.`,
      );
    const cause =
      error instanceof Error && 'code' in error && typeof error.code === 'string'
        ? error.code
        : String(error);
    throw new CheckError(
      'ENDPOINT_UNREACHABLE',
      `${endpoint.url} 无法访问，请先运行 npm start。 Not reachable (${cause}): run \`npm start\` first.`,
    );
  }
}

export function renderCheck(result: CreditCheckResult): string {
  const table = new Table({
    head: ['部门 department', '状态 status', '数据时点 as of', 'ms', '不利记录 findings'],
    colAligns: ['left', 'left', 'left', 'right', 'right'],
    style: { head: [], border: [] },
  });
  for (const { department, status, asOf, ms, findings } of result.sources)
    // Unknown is a question mark, never a zero and never a blank that could be read as one.
    table.push([department, status, asOf === null ? '—' : toChinaTime(asOf), ms ?? '—', findings ?? '?']);
  const { subject, completeness, assessment } = result;
  const lines = [
    `${subject.name ?? '?'}  ${subject.code ?? ''}`,
    table.toString(),
    `完整度 completeness: ${completeness === null ? '?' : `${Math.round(completeness * 100)} %`}   总耗时 total: ${result.elapsedMs} ms`,
    `结论 assessment: ${assessment?.conclusion ?? '?'}${assessment?.score == null ? '' : `  (${assessment.score})`}`,
    ...(assessment?.reasons ?? []).map(({ zh, en }) => `  · ${zh} ${en}`),
  ];
  return lines.join('\n');
}

/** 2026-11-24 06:00 as the departments' clocks show it (UTC+8). */
function toChinaTime(iso: string): string {
  return new Date(iso).toLocaleString('sv-SE', { timeZone: 'Asia/Shanghai' }).slice(0, 16);
}
