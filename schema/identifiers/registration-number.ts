/**
 * 工商注册号: what a business was known by before the unified code. 15 digits under GS 15-2006; before 2007 13 digits, or a
 * text such as 企独津总字第000000号 for foreign investment. The older forms have no check digit, so they can only be read.
 */
import { toFailed, type Parsed } from './parsed.ts';
import { toPlainCode } from './plain-text.ts';

export type RegistrationNumberCheck = 'FORM' | 'CHECK_DIGIT';

/** 内资, 外资, 个体. */
export type RegistrationHolder = 'DOMESTIC' | 'FOREIGN' | 'SOLE_TRADER';

export interface RegistrationNumber {
  readonly number: string;
  readonly form: 'GS_15_2006' | 'PRE_2007' | 'FOREIGN_TEXT';
  /** Whether the form has a check digit; where it has none, a wrong number cannot be told from a right one. */
  readonly checked: boolean;
  /** Null where the form does not tell. */
  readonly holder: RegistrationHolder | null;
  /** Region of the first registering authority; null for a text. */
  readonly region: string | null;
}

/** 企 + 独资/合资/合作/股份 + place + 总 (副 for a branch) + 字第…号. */
const FOREIGN_TEXT = /^企[独合作股]?\p{Script=Han}{1,3}总[副分]?字第\d{4,6}(-\d{1,3})?号$/u;

const MESSAGES = {
  FORM: {
    en: 'A registration number has 15 digits (13 before 2007) or is a text of the form 企独津总字第000000号.',
    zh: '工商注册号应为15位数字（2007年前为13位），或形如“企独津总字第000000号”。',
  },
  CHECK_DIGIT: {
    en: 'The check digit of the registration number does not fit (GS 15-2006).',
    zh: '工商注册号校验码不符（GS 15-2006）。',
  },
} as const;

export function parseRegistrationNumber(input: string): Parsed<RegistrationNumber, RegistrationNumberCheck> {
  const number = normaliseRegistrationNumber(input);
  const normalised = number !== input;
  if (FOREIGN_TEXT.test(number)) {
    const value = { number, form: 'FOREIGN_TEXT', checked: false, holder: 'FOREIGN', region: null } as const;
    return { ok: true, value, normalised };
  }
  if (!/^(\d{13}|\d{15})$/.test(number)) return toFailed(MESSAGES, 'FORM');
  const region = number.slice(0, 6);
  if (number.length === 13) {
    const value = { number, form: 'PRE_2007', checked: false, holder: null, region } as const;
    return { ok: true, value, normalised };
  }
  if (number.charAt(14) !== registrationCheckDigit(number.slice(0, 14)))
    return toFailed(MESSAGES, 'CHECK_DIGIT');
  const holder = holderOf(number.charAt(6));
  return { ok: true, value: { number, form: 'GS_15_2006', checked: true, holder, region }, normalised };
}

/** True for a 15-digit number in normal form whose check digit fits. */
export function isRegistrationNumber(input: string): boolean {
  const parsed = parseRegistrationNumber(input);
  return parsed.ok && parsed.value.checked && !parsed.normalised;
}

export const normaliseRegistrationNumber = toPlainCode;

/** ISO 7064 MOD 11,10 over 14 digits. Throws RangeError for anything else. */
export function registrationCheckDigit(first14: string): string {
  if (!/^\d{14}$/.test(first14)) throw new RangeError('the body of a registration number is 14 digits');
  let product = 10;
  for (const digit of first14) product = (2 * ((product + Number(digit)) % 10 || 10)) % 11;
  return String((11 - product) % 10);
}

/** First digit of the serial number: 0–3 domestic, 4–5 foreign, 6–9 sole traders. */
function holderOf(digit: string): RegistrationHolder {
  if (digit < '4') return 'DOMESTIC';
  return digit < '6' ? 'FOREIGN' : 'SOLE_TRADER';
}
