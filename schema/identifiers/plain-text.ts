/** White space of every kind (U+3000 and NBSP too), and the marks without width that come along when copying from web pages. */
const BLANK = /[\s\u180e\u200b-\u200f\u2060\ufeff]+/gu;
const FULL_WIDTH = /[\uff01-\uff5e]/g;

/** Takes out all white space, inner too. */
export const withoutWhiteSpace = (text: string): string => text.replace(BLANK, '');

/** Full width ASCII (Ａ, ０, －) → half width. Only that range: NFKC as a whole would make a 1 of ①, which nobody wrote. */
export const toHalfWidth = (text: string): string =>
  text.replace(FULL_WIDTH, (character) => String.fromCharCode(character.charCodeAt(0) - 0xfee0));

/** a–z → A–Z and nothing else: toUpperCase makes an I of a dotless ı. */
export const toUpperLatin = (text: string): string =>
  text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());

/** The form in which codes are checked: no white space, half width, upper case. */
export const toPlainCode = (text: string): string => toUpperLatin(toHalfWidth(withoutWhiteSpace(text)));
