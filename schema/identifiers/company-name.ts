/** 企业名称 as people type it: the same company is written with other brackets, spaces and dots in every system. */
import { withoutWhiteSpace } from './plain-text.ts';

const OPENING = /[([{（［｛〔【〖〘]/gu;
const CLOSING = /[)\]}）］｝〕】〗〙]/gu;
// Only dots that stand in the middle of the line: a full stop separates other things.
const MIDDLE_DOTS = /[\u00b7\u0387\u16eb\u2022\u2027\u2219\u22c5\u25cf\u25e6\u2e31\u30fb]/gu;

/**
 * The form in which names are compared: NFKC, every bracket (), no white space, Latin letters in upper case, one middle
 * dot. It is for finding, not for showing.
 */
export function normaliseCompanyName(name: string): string {
  // Blanks go before NFKC too: a blank between a letter and its mark would keep the two from becoming one.
  return withoutWhiteSpace(withoutWhiteSpace(name).normalize('NFKC'))
    .replace(/\p{Script=Latin}+/gu, (letters) => letters.toUpperCase())
    .normalize('NFKC')
    .replace(OPENING, '(')
    .replace(CLOSING, ')')
    .replace(MIDDLE_DOTS, '\u00b7');
}

/** Whether two spellings are of one name. A name of which nothing is left is equal to none. */
export function isSameCompanyName(one: string, other: string): boolean {
  const name = normaliseCompanyName(one);
  return name !== '' && name === normaliseCompanyName(other);
}
