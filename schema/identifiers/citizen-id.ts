/**
 * 公民身份号码, GB 11643-1999, and the two cards that share its form: the residence permit for people of Hong Kong, Macao and
 * Taiwan (810000, 820000, 830000) and the permanent residence card for foreigners of 2023 (first digit 9).
 * Nothing here ever puts the number, or a part of it, into a message.
 */
import { toFailed, type Parsed } from './parsed.ts';
import { toPlainCode } from './plain-text.ts';

/** Eighteen characters, the last a digit or a capital X. */
export type CitizenId = string & { readonly __brand: 'CitizenId' };
export type CitizenIdCheck = 'LENGTH' | 'ALPHABET' | 'REGION' | 'BIRTH_DATE' | 'CHECK_DIGIT';
export type CitizenIdKind = 'RESIDENT' | 'HMT_RESIDENT' | 'FOREIGN_PERMANENT_RESIDENT';

const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const REMAINDERS = '10X98765432';

const MESSAGES = {
  LENGTH: {
    en: 'A citizen ID number has 18 characters, or 15 in old archives.',
    zh: '公民身份号码应为18位，旧档案为15位。',
  },
  ALPHABET: {
    en: 'A citizen ID number holds digits; only the last of 18 characters may be X.',
    zh: '公民身份号码应为数字，仅第18位可为X。',
  },
  REGION: { en: 'No citizen ID number begins with this region.', zh: '公民身份号码前6位地址码有误。' },
  BIRTH_DATE: {
    en: 'The birth date in the citizen ID number does not exist.',
    zh: '公民身份号码中的出生日期不存在。',
  },
  CHECK_DIGIT: {
    en: 'The check digit of the citizen ID number does not fit (GB 11643).',
    zh: '公民身份号码校验码不符（GB 11643）。',
  },
} as const;

/**
 * Reads 18 characters, or 15 digits of before 1999, which become 18. The region is not looked up: people keep the number
 * that they were given, whatever has become of the county since.
 */
export function parseCitizenId(input: string): Parsed<CitizenId, CitizenIdCheck> {
  const plain = toPlainCode(input);
  const length = [...plain].length;
  if (length !== 15 && length !== 18) return toFailed(MESSAGES, 'LENGTH');
  if (!/^(\d{15}|\d{17}[\dX])$/.test(plain)) return toFailed(MESSAGES, 'ALPHABET');
  const id = length === 15 ? toEighteen(plain) : plain;
  if (kindOf(id) === null) return toFailed(MESSAGES, 'REGION');
  if (!exists(id.slice(6, 14))) return toFailed(MESSAGES, 'BIRTH_DATE');
  if (id.charAt(17) !== citizenIdCheckDigit(id.slice(0, 17))) return toFailed(MESSAGES, 'CHECK_DIGIT');
  return { ok: true, value: id as CitizenId, normalised: id !== input };
}

/** True for the normal form only: 18 characters. */
export function isCitizenId(input: string): input is CitizenId {
  const parsed = parseCitizenId(input);
  return parsed.ok && !parsed.normalised;
}

/** No white space, half width, upper case X, and 18 characters for an old number of 15. What is neither comes back as it is. */
export function normaliseCitizenId(input: string): string {
  const plain = toPlainCode(input);
  return /^\d{15}$/.test(plain) ? toEighteen(plain) : plain;
}

/** `YYYY-MM-DD`. */
export const birthDateOf = (id: CitizenId): string =>
  `${id.slice(6, 10)}-${id.slice(10, 12)}-${id.slice(12, 14)}`;

/** Odd order numbers are given to men, even ones to women. */
export const sexOf = (id: CitizenId): 'MALE' | 'FEMALE' =>
  Number(id.charAt(16)) % 2 === 1 ? 'MALE' : 'FEMALE';

/** Which card the number is of. */
export const citizenIdKind = (id: CitizenId): CitizenIdKind => kindOf(id) ?? 'RESIDENT';

/** First four and last four characters: 1201**********0016. A text that has not the form of a number is hidden wholly. */
export function maskCitizenId(text: string): string {
  const id = normaliseCitizenId(text);
  // Courts mask some digits at the source (1201011900****0016): what they hid stays hidden, and so does our middle.
  return /^[\d*]{17}[\dX*]$/.test(id) ? `${id.slice(0, 4)}${'*'.repeat(10)}${id.slice(14)}` : '*'.repeat(18);
}

/** ISO 7064 MOD 11-2 over 17 digits. Throws RangeError for anything else. */
export function citizenIdCheckDigit(first17: string): string {
  if (!/^\d{17}$/.test(first17)) throw new RangeError('the body of a citizen ID number is 17 digits');
  const sum = WEIGHTS.reduce((total, weight, index) => total + weight * Number(first17.charAt(index)), 0);
  return REMAINDERS.charAt(sum % 11);
}

/** All numbers of 15 digits were given to people born in the twentieth century, but for a few centenarians who are long dead. */
function toEighteen(fifteen: string): string {
  const first17 = `${fifteen.slice(0, 6)}19${fifteen.slice(6)}`;
  return first17 + citizenIdCheckDigit(first17);
}

function kindOf(id: string): CitizenIdKind | null {
  if (/^8[123]0000/.test(id)) return 'HMT_RESIDENT';
  if (isProvince(id.slice(0, 2))) return 'RESIDENT';
  // 9, province of application (two digits), country (three digits, ISO 3166-1).
  return id.startsWith('9') && isProvince(id.slice(1, 3)) ? 'FOREIGN_PERMANENT_RESIDENT' : null;
}

/** First two digits of GB/T 2260. */
const isProvince = (two: string): boolean => /^(1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71)$/.test(two);

function exists(yyyymmdd: string): boolean {
  const iso = `${yyyymmdd.slice(0, 4)}-${yyyymmdd.slice(4, 6)}-${yyyymmdd.slice(6)}`;
  const date = new Date(`${iso}T00:00:00Z`);
  return /^(18|19|20)/.test(iso) && !Number.isNaN(date.getTime()) && date.toISOString().startsWith(iso);
}
