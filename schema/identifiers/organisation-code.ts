/** 组织机构代码, GB 11714-1997: eight characters and a check digit, written with or without a hyphen. */
import { toFailed, type Parsed } from './parsed.ts';
import { toPlainCode } from './plain-text.ts';

/** Nine characters, no hyphen. */
export type OrganisationCode = string & { readonly __brand: 'OrganisationCode' };
export type OrganisationCodeCheck = 'LENGTH' | 'ALPHABET' | 'CHECK_DIGIT';

const WEIGHTS = [3, 7, 9, 10, 5, 8, 4, 2];
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const HYPHENS = /^(.{8})[-\u2010-\u2015\u2212](.)$/u;

const MESSAGES = {
  LENGTH: {
    en: 'An organisation code has 9 characters, or 10 with the hyphen.',
    zh: '组织机构代码应为9位，带连字符时为10位。',
  },
  ALPHABET: {
    en: 'An organisation code holds digits and Latin letters; its last character is a digit or X.',
    zh: '组织机构代码由数字和拉丁字母组成，末位为数字或X。',
  },
  CHECK_DIGIT: {
    en: 'The check digit of the organisation code does not fit (GB 11714).',
    zh: '组织机构代码校验码不符（GB 11714）。',
  },
} as const;

/** Reads nine characters, or ten with the hyphen before the check digit. */
export function parseOrganisationCode(input: string): Parsed<OrganisationCode, OrganisationCodeCheck> {
  const code = normaliseOrganisationCode(input);
  if ([...code].length !== 9) return toFailed(MESSAGES, 'LENGTH');
  if (!/^[0-9A-Z]{8}[0-9X]$/.test(code)) return toFailed(MESSAGES, 'ALPHABET');
  if (code[8] !== organisationCheckDigit(code.slice(0, 8))) return toFailed(MESSAGES, 'CHECK_DIGIT');
  return { ok: true, value: code as OrganisationCode, normalised: code !== input };
}

/** True for the normal form only: nine characters in upper case, without the hyphen. */
export function isOrganisationCode(input: string): input is OrganisationCode {
  const parsed = parseOrganisationCode(input);
  return parsed.ok && !parsed.normalised;
}

export const normaliseOrganisationCode = (input: string): string =>
  toPlainCode(input).replace(HYPHENS, '$1$2');

/** As it is printed on a certificate: D2143569-X. */
export const toHyphenated = (code: OrganisationCode): string => `${code.slice(0, 8)}-${code.slice(8)}`;

/** `body8`: eight characters of 0–9 and A–Z. Throws RangeError for anything else. */
export function organisationCheckDigit(body8: string): string {
  if (!/^[0-9A-Z]{8}$/.test(body8))
    throw new RangeError('the body of an organisation code is 8 characters of 0-9 A-Z');
  const sum = WEIGHTS.reduce(
    (total, weight, index) => total + weight * ALPHABET.indexOf(body8.charAt(index)),
    0,
  );
  const digit = 11 - (sum % 11);
  return digit === 10 ? 'X' : digit === 11 ? '0' : String(digit);
}
