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

/** What the reader can be told and do something about. */
export class CheckError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CheckError';
  }
}

export const CHECK_QUERY = `query CreditCheck($code: CreditCode!, $purpose: Purpose!) {
  creditCheck(input: { subject: $code, purpose: $purpose }) {
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
}

/** `subject`: a code, or a name that finds one company. Throws CheckError. */
export async function runCreditCheck(endpoint: Endpoint, subject: string): Promise<CreditCheckResult> {
  const code = await resolveCode(endpoint, subject);
  const startedAt = performance.now();
  const answer = await ask(endpoint, CHECK_QUERY, { code, purpose: endpoint.purpose });
  const elapsedMs = Math.round(performance.now() - startedAt);
  const parsed = checkSchema.safeParse(answer.data);
  const check = parsed.success ? parsed.data.creditCheck : null;
  if (!check?.sources)
    throw new CheckError(answer.errors?.map(({ message }) => message).join('\n') ?? 'no answer');
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
      `${parsed.message} ${parsed.messageZh} (${parsed.code})${parsed.hint ? `\n${parsed.hint}` : ''}`,
    );
  const { data, errors } = await ask(endpoint, SEARCH_QUERY, { name: subject });
  const found = searchSchema.safeParse(data);
  if (!found.success)
    throw new CheckError(errors?.map(({ message }) => message).join('\n') ?? 'the search did not answer');
  const matches = found.data.searchCreditSubjects;
  const exact = matches.filter(({ score }) => score >= 1);
  const [match] = exact;
  if (exact.length === 1 && match?.subject.code) return match.subject.code;
  const list = matches.map(
    ({ score, subject: { code, name } }) => `  ${code ?? '?'}  ${name ?? '?'}  (${score.toFixed(2)})`,
  );
  throw new CheckError(
    list.length === 0
      ? '没有找到此名称的信用主体。 No credit subject of this name was found.'
      : `请用代码指明哪一个： Say which one by its code:\n${list.join('\n')}`,
  );
}

async function ask(endpoint: Endpoint, query: string, variables: object) {
  try {
    const response = await request(endpoint.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(endpoint.token === null ? {} : { authorization: `Bearer ${endpoint.token}` }),
      },
      body: JSON.stringify({ query, variables }),
    });
    return answerSchema.parse(await response.body.json());
  } catch (error) {
    if (error instanceof z.ZodError) throw new CheckError(`${endpoint.url} did not answer with GraphQL`);
    const code =
      typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : String(error);
    throw new CheckError(
      `${endpoint.url} 无法访问，请先运行 npm start。 Not reachable (${code}): run \`npm start\` first.`,
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
