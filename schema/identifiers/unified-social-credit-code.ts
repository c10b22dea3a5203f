/** 统一社会信用代码, GB 32100-2015 with amendment 1 (2016): the lifelong code of every organisation and sole trader. */
import { categoriesOf, isDepartment } from './credit-code-departments.ts';
import { organisationCheckDigit } from './organisation-code.ts';
import { toFailed, type Parsed } from './parsed.ts';
import { toPlainCode } from './plain-text.ts';

/** A code in normal form that passed every check. */
export type CreditCode = string & { readonly __brand: 'CreditCode' };

/** The checks, in the order in which they are made. */
export type CreditCodeCheck =
  | 'LENGTH'
  | 'ALPHABET'
  | 'DEPARTMENT'
  | 'CATEGORY'
  | 'REGION_FORMAT'
  | 'ORGANISATION_CHECK_DIGIT'
  | 'CHECK_DIGIT';

/** Character = value; no I, O, S, V, Z. */
export const CREDIT_CODE_ALPHABET = '0123456789ABCDEFGHJKLMNPQRTUWXY';
const WEIGHTS = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];

const MESSAGES = {
  LENGTH: {
    en: 'A unified social credit code has 18 characters.',
    zh: '统一社会信用代码应为18位。',
  },
  ALPHABET: {
    en: 'A unified social credit code holds digits and capital letters without I, O, S, V, Z.',
    zh: '统一社会信用代码由数字和大写拉丁字母组成，不使用I、O、S、V、Z。',
  },
  DEPARTMENT: {
    en: 'Character 1 is not the code of a registering department.',
    zh: '第1位登记管理部门代码不存在。',
  },
  CATEGORY: {
    en: 'Character 2 is not a category of organisation of this registering department.',
    zh: '第2位机构类别代码与登记管理部门不符。',
  },
  REGION_FORMAT: {
    en: 'Characters 3 to 8, the region of registration, must be digits.',
    zh: '第3至8位登记管理机关行政区划码应为数字。',
  },
  ORGANISATION_CHECK_DIGIT: {
    en: 'Character 17, the check digit of the organisation code, does not fit (GB 11714).',
    zh: '第17位主体标识码（组织机构代码）校验码不符（GB 11714）。',
  },
  CHECK_DIGIT: {
    en: 'Character 18, the check digit, does not fit (GB 32100).',
    zh: '第18位校验码不符（GB 32100）。',
  },
} as const;

/**
 * Reads a code as people write it and says which check failed first. The region is that of the registering authority at
 * the time, abolished or not; an unknown one is not a failure, and nothing about today's district follows from it.
 */
export function parseCreditCode(input: string): Parsed<CreditCode, CreditCodeCheck> {
  const code = normaliseCreditCode(input);
  const failed = firstFailure(code);
  if (failed === null) return { ok: true, value: code as CreditCode, normalised: code !== input };
  return toFailed(MESSAGES, failed, failed === 'ALPHABET' ? likelySpelling(code) : undefined);
}

/** True for the normal form only. */
export const isCreditCode = (input: string): input is CreditCode => firstFailure(input) === null;

/** No white space, half width, upper case. Letters are never exchanged for digits. */
export const normaliseCreditCode = toPlainCode;

/** The parts of a code. `organisationCode` is GB 11714 without the hyphen; `region` is the region of registration. */
export function toCreditCodeParts(code: CreditCode): {
  readonly department: string;
  readonly category: string;
  readonly region: string;
  readonly organisationCode: string;
} {
  return {
    department: code.charAt(0),
    category: code.charAt(1),
    region: code.slice(2, 8),
    organisationCode: code.slice(8, 17),
  };
}

/** 个体工商户 have a code of their own but are natural persons in trade: D1 9, D2 2. */
export const isSoleTrader = (code: CreditCode): boolean => code.startsWith('92');

/** Computes both check digits for a code. Throws RangeError where the parts cannot form one. */
export function makeCreditCode(parts: {
  readonly department: string;
  readonly category: string;
  /** Six digits. */
  readonly region: string;
  /** The first eight characters of the organisation code. */
  readonly body8: string;
}): CreditCode {
  const first16 = parts.department + parts.category + parts.region + parts.body8;
  const first17 = first16 + organisationCheckDigit(parts.body8);
  const code = first17 + (/^[0-9A-Z]{17}$/.test(first17) ? creditCodeCheckDigit(first17) : '');
  const failed = firstFailure(code);
  if (failed !== null) throw new RangeError(MESSAGES[failed].en);
  return code as CreditCode;
}

function firstFailure(code: string): CreditCodeCheck | null {
  if ([...code].length !== 18) return 'LENGTH';
  if (![...code].every((character) => CREDIT_CODE_ALPHABET.includes(character))) return 'ALPHABET';
  const department = code.charAt(0);
  if (!isDepartment(department)) return 'DEPARTMENT';
  if (!categoriesOf(department).includes(code.charAt(1))) return 'CATEGORY';
  if (!/^\d{6}$/.test(code.slice(2, 8))) return 'REGION_FORMAT';
  // Two independent checks: a code can hold the second and fail the first (存疑码), which most validators overlook.
  if (code[16] !== organisationCheckDigit(code.slice(8, 16))) return 'ORGANISATION_CHECK_DIGIT';
  if (code[17] !== creditCodeCheckDigit(code.slice(0, 17))) return 'CHECK_DIGIT';
  return null;
}

function creditCodeCheckDigit(first17: string): string {
  const sum = WEIGHTS.reduce(
    (total, weight, index) => total + weight * CREDIT_CODE_ALPHABET.indexOf(first17.charAt(index)),
    0,
  );
  return CREDIT_CODE_ALPHABET.charAt((31 - (sum % 31)) % 31);
}

/** O and I are the only letters outside the alphabet that look like one digit; S, V and Z could be anything. */
function likelySpelling(code: string): string | undefined {
  const spelling = code.replaceAll('O', '0').replaceAll('I', '1');
  return firstFailure(spelling) === null ? `did you mean ${spelling}? 您是否要输入${spelling}？` : undefined;
}
