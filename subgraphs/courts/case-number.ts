/**
 * 案号, the number of a court case, as the courts have formed it since 2016: （2024）津0101执1234号 is year, court (province
 * and digits), type of case, number. Records bring it with every kind of bracket, and older cases in the older form.
 */
import { toHalfWidth, withoutWhiteSpace } from '../../schema/identifiers/plain-text.ts';

export interface CaseNumber {
  /** With full-width round brackets and half-width digits, no spaces: equal cases are written equally. */
  readonly text: string;
  readonly year: number;
  /** 津0101; null in the form before 2016, which names courts by short names. */
  readonly courtCode: string | null;
  /** Name of the court, for the courts of Tianjin. */
  readonly court: string | null;
  /** 执, 执恢, 民初 … */
  readonly kind: string;
}

const OPEN = '[(〔【\\[]';
const CLOSE = '[)〕】\\]]';
const YEAR = `${OPEN}(\\d{4})${CLOSE}`;
const CURRENT = new RegExp(
  `^${YEAR}(\\p{sc=Han})(\\d{2}(?:\\d{2})?)?(\\p{sc=Han}{1,4})(\\d{1,6})号(之[一二三四五六七八九十]+)?$`,
  'u',
);
const BEFORE_2016 = new RegExp(
  `^${YEAR}(\\p{sc=Han}{2,6}?)字第(\\d{1,6})号(之[一二三四五六七八九十]+)?$`,
  'u',
);

/** Null for what is not a case number, such as the number of an arbitral award. */
export function parseCaseNumber(input: string): CaseNumber | null {
  const plain = toHalfWidth(withoutWhiteSpace(input));
  const old = BEFORE_2016.exec(plain);
  if (old) {
    const [, year = '', words = '', number = '', part = ''] = old;
    return {
      text: `（${year}）${words}字第${Number(number)}号${part}`,
      year: Number(year),
      courtCode: null,
      court: null,
      // The court's short name and the kind stand together there, and only the end is always the kind.
      kind: words.slice(-1),
    };
  }
  const current = CURRENT.exec(plain);
  if (!current) return null;

  const [, year = '', province = '', digits = '', kind = '', number = '', part = ''] = current;
  const courtCode = province + digits;
  return {
    text: `（${year}）${courtCode}${kind}${Number(number)}号${part}`,
    year: Number(year),
    courtCode,
    court: COURTS[courtCode] ?? null,
    kind,
  };
}

const district = (name: string) => `天津市${name}人民法院`;

/** Courts of Tianjin by the code in the case number; 津 alone is the high court. */
const COURTS: Readonly<Record<string, string>> = {
  津: '天津市高级人民法院',
  津01: '天津市第一中级人民法院',
  津02: '天津市第二中级人民法院',
  津03: '天津市第三中级人民法院',
  津72: '天津海事法院',
  津0101: district('和平区'),
  津0102: district('河东区'),
  津0103: district('河西区'),
  津0104: district('南开区'),
  津0105: district('河北区'),
  津0106: district('红桥区'),
  津0110: district('东丽区'),
  津0111: district('西青区'),
  津0112: district('津南区'),
  津0113: district('北辰区'),
  津0114: district('武清区'),
  津0115: district('宝坻区'),
  津0116: district('滨海新区'),
  津0117: district('宁河区'),
  津0118: district('静海区'),
  津0119: district('蓟州区'),
};
