/**
 * The closed table of public errors. Every `extensions.code` that leaves the gateway stands here, with what it means and
 * what to do; docs/errors.md is generated from it. Messages carry no personal data and nothing that a department wrote.
 */
import { GraphQLError } from 'graphql';

interface ErrorDefinition {
  /** HTTP status when the whole request fails with it; null for errors that stand beside data. */
  readonly status: number | null;
  readonly zh: string;
  readonly en: string;
  /** What the reader can do about it. */
  readonly remedy: string;
}

const defineErrors = <T extends Record<string, ErrorDefinition>>(table: T): T => table;

export const ERRORS = defineErrors({
  UNAUTHENTICATED: {
    status: 401,
    zh: '访问令牌无效、过期或不是签发给本平台的。',
    en: 'The access token is invalid, expired or not issued for this platform.',
    remedy: 'Get a new token from the issuer. Without any token you are answered as the public.',
  },
  FORBIDDEN: {
    status: null,
    zh: '目录不允许以此身份和用途查看该项。',
    en: 'The catalogue does not let this principal see the item for this purpose.',
    remedy:
      'Look the item up in the catalogue; extensions.item and extensions.reason say which rule applied.',
  },
  CONSENT_REQUIRED: {
    status: null,
    zh: '查看该项须有信用主体就此用途给予的有效授权。',
    en: 'The item needs a live consent of the credit subject for this purpose.',
    remedy:
      'Ask the subject for a consent that names the item, then ask again; no consent id has to be quoted.',
  },
  INVALID_CREDIT_CODE: {
    status: null,
    zh: '统一社会信用代码有误。',
    en: 'The unified social credit code is malformed.',
    remedy: 'extensions.check names the check that failed; extensions.hint may offer a likely spelling.',
  },
  INVALID_INPUT: {
    status: null,
    zh: '输入有误。',
    en: 'The input is not valid.',
    remedy: 'The message says which argument and why.',
  },
  SUBJECT_NOT_FOUND: {
    status: null,
    zh: '登记机关没有此信用主体。',
    en: 'No register knows this credit subject.',
    remedy: 'Check the code or search by name. This is not a statement about anybody’s credit.',
  },
  LOOKUP_REFUSED: {
    status: null,
    zh: '查无此人，或不允许查找；平台不作区分。',
    en: 'There is no such person, or you may not look them up; the platform does not tell which.',
    remedy:
      'Check name and ID number, which must belong together, and ask the person for a consent. The answer is the same in every case.',
  },
  IDEMPOTENCY_CONFLICT: {
    status: 409,
    zh: '该幂等键已用于另一请求。',
    en: 'The idempotency key was used for another request.',
    remedy: 'Send a new Idempotency-Key; repeat a key only with the same operation and variables.',
  },
  OPERATION_NOT_REGISTERED: {
    status: 403,
    zh: '该使用方只能执行已登记的操作。',
    en: 'This consumer may only run operations that are registered for it.',
    remedy: 'Register the operation (npm run operations:register), or send one that is registered.',
  },
  PURPOSE_NOT_GRANTED: {
    status: 403,
    zh: '令牌不允许此用途。',
    en: 'The token does not grant this purpose.',
    remedy: 'Send one of the purposes of the token in the Jinxin-Purpose header, or leave the header out.',
  },
  INVALID_OPERATION: {
    status: 400,
    zh: '操作不合法。',
    en: 'The operation is not valid.',
    remedy: 'Check it against the schema. Principals that may introspect are told what is wrong.',
  },
  BAD_REQUEST: {
    status: 400,
    zh: '请求格式有误。',
    en: 'The request is not a GraphQL request.',
    remedy: 'POST JSON with content-type application/json: {"query", "variables", "operationName"}.',
  },
  LIMIT_EXCEEDED: {
    status: 400,
    zh: '操作超过了平台的限制。',
    en: 'The operation exceeds a limit of the platform.',
    remedy: 'extensions.limit names it. Ask for less at once.',
  },
  REQUEST_TOO_LARGE: {
    status: 413,
    zh: '请求体过大。',
    en: 'The request body is too large.',
    remedy: 'Send a smaller document; use variables; ask in several requests.',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    status: 415,
    zh: '不支持的内容类型。',
    en: 'The content type is not supported.',
    remedy: 'Send application/json in UTF-8.',
  },
  RATE_LIMITED: {
    status: 429,
    zh: '请求过于频繁。',
    en: 'Too many requests.',
    remedy: 'Wait for the seconds in the Retry-After header.',
  },
  OVERLOADED: {
    status: 503,
    zh: '平台繁忙或正在停止。',
    en: 'The platform is overloaded or going down.',
    remedy: 'Ask again after the seconds in the Retry-After header.',
  },
  AUDIT_UNAVAILABLE: {
    status: 503,
    zh: '审计记录无法写入，因此不提供数据。',
    en: 'The audit record could not be written, so no data is given.',
    remedy: 'Ask again later. Nothing was disclosed.',
  },
  RECEIPT_UNAVAILABLE: {
    status: 503,
    zh: '回执无法签发，因此不提供数据。',
    en: 'The receipt could not be signed, so no data is given.',
    remedy: 'Ask again later. Nothing was disclosed.',
  },
  DEPARTMENT_UNAVAILABLE: {
    status: null,
    zh: '部门子图无法访问，该部分情况不明。',
    en: 'The department’s subgraph could not be reached; this part is unknown.',
    remedy: 'Ask again later. Unknown is not clean: do not read the null as no record.',
  },
  INTERNAL: {
    status: 500,
    zh: '平台内部错误。',
    en: 'The platform failed.',
    remedy: 'Report extensions.traceId to the operator.',
  },
});

/** What `extensions` of a public error may hold beside `code`; nothing else leaves the gateway. */
export const ERROR_FACTS: readonly string[] = [
  'item',
  'reason',
  'decision',
  'catalogue',
  'check',
  'hint',
  'attribute',
  'limit',
  'most',
  'retryAfter',
  'traceId',
];

export type ErrorCode = keyof typeof ERRORS;

/** An error of the table. `detail` adds a fact to the message (no personal data); `extensions` are for programs. */
export function createError(
  code: ErrorCode,
  options: {
    detail?: string;
    path?: readonly (string | number)[];
    extensions?: Record<string, unknown>;
  } = {},
): GraphQLError {
  const { zh, en } = ERRORS[code];
  const message = options.detail === undefined ? `${en} ${zh}` : `${en} ${options.detail} ${zh}`;
  return new GraphQLError(message, {
    ...(options.path ? { path: [...options.path] } : {}),
    extensions: { code, ...options.extensions },
  });
}

export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERRORS, code);
}
