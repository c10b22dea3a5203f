/** 注册资本 as it was written by many hands over forty years → an amount that can be compared. */

/** `amount` in whole units of `currency` (ISO 4217); null where the text leaves a doubt. `text`: what was written. */
export interface Capital {
  readonly amount: number | null;
  readonly currency: string | null;
  readonly text: string | null;
}

const CURRENCIES: readonly (readonly [RegExp, string])[] = [
  [/^(人民币)?元?(人民币)?元?$/, 'CNY'],
  [/^美元$/, 'USD'],
  [/^(港币|港元|元港元|元港币)$/, 'HKD'],
  [/^日元$/, 'JPY'],
  [/^欧元$/, 'EUR'],
  [/^英镑$/, 'GBP'],
  [/^澳大利亚元$/, 'AUD'],
  // Went over into the euro in 2002, and still stands in the register.
  [/^德国马克$/, 'DEM'],
];

const FORM = /^(\d+|\d{1,3}(?:,\d{3})+)(\.\d+)?(万?)(\D*)$/;

/**
 * "57(万元人民币)" → 570000 CNY. A number without any unit is no amount: registers count in 万元, people in 元, and one of
 * them would be wrong by four zeros. 万 without a currency is one of amounts, but of which money it does not say.
 */
export function toCapital(written: string | null): Capital {
  const text = written?.trim() ?? '';
  // Names that held a comma moved their tails into this column: a person's name is not ours to show as a sum.
  if (!/\d|[万元]/.test(text)) return { amount: null, currency: null, text: null };
  const plain = text.normalize('NFKC').replace(/[\s()]/g, '');
  const [, whole, decimals = '', tenThousands, unit = ''] = FORM.exec(plain) ?? [];
  if (whole === undefined || (tenThousands === '' && unit === ''))
    return { amount: null, currency: null, text };
  const currency = unit === '' ? null : (CURRENCIES.find(([form]) => form.test(unit))?.[1] ?? undefined);
  // A unit that we do not know may be anything, another multiple among them.
  if (currency === undefined) return { amount: null, currency: null, text };
  const factor = tenThousands === '万' ? 10_000 : 1;
  return { amount: scale(`${whole.replaceAll(',', '')}${decimals}`, factor), currency, text };
}

/** Multiplies without the tails of binary fractions, to the cent. */
function scale(digits: string, factor: number): number {
  return Math.round(Number(digits) * factor * 100) / 100;
}
