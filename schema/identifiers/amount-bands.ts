/** A band of amounts in yuan: `from` ≤ amount < `below`; null is without end. */
export interface AmountBand {
  readonly from: number | null;
  readonly below: number | null;
  readonly zh: string;
  readonly en: string;
}

/** Zero has no band of its own: for arrears it would tell the figure itself. */
export const AMOUNT_BANDS: readonly AmountBand[] = [
  { from: null, below: 0, zh: '0元以下', en: 'below 0' },
  { from: 0, below: 10_000, zh: '1万元以下', en: 'below CNY 10,000' },
  { from: 10_000, below: 100_000, zh: '1万–10万元', en: 'CNY 10,000 to 100,000' },
  { from: 100_000, below: 500_000, zh: '10万–50万元', en: 'CNY 100,000 to 500,000' },
  { from: 500_000, below: 1_000_000, zh: '50万–100万元', en: 'CNY 500,000 to 1 million' },
  { from: 1_000_000, below: 5_000_000, zh: '100万–500万元', en: 'CNY 1 to 5 million' },
  { from: 5_000_000, below: 10_000_000, zh: '500万–1000万元', en: 'CNY 5 to 10 million' },
  { from: 10_000_000, below: 100_000_000, zh: '1000万–1亿元', en: 'CNY 10 to 100 million' },
  { from: 100_000_000, below: null, zh: '1亿元以上', en: 'CNY 100 million and more' },
];

/** The band that an amount in yuan lies in, or null when the bands do not reach it or it is not a number. */
export function toAmountBand(yuan: number, bands: readonly AmountBand[] = AMOUNT_BANDS): AmountBand | null {
  const holds = ({ from, below }: AmountBand) =>
    (from === null || yuan >= from) && (below === null || yuan < below);
  return Number.isFinite(yuan) ? (bands.find(holds) ?? null) : null;
}
