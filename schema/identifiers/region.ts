/** 行政区划代码, GB/T 2260, for Tianjin. */
import { toFailed, type Parsed } from './parsed.ts';
import { toPlainCode } from './plain-text.ts';
import { TIANJIN_REGIONS, type RegionRow } from './tianjin-regions.ts';

export type RegionStatus = RegionRow['status'] | 'OUTSIDE_TIANJIN' | 'UNKNOWN';
export type RegionCheck = 'FORMAT';

export interface Region {
  readonly code: string;
  /** Null where the table does not know the code. */
  readonly name: string | null;
  readonly status: RegionStatus;
  /** Today's code; null where it cannot be told. */
  readonly becameCode: string | null;
  readonly abolishedIn: number | null;
}

const ROWS = new Map<string, RegionRow>(TIANJIN_REGIONS.map((row) => [row.code, row]));

const MESSAGES = {
  FORMAT: { en: 'A region code has 6 digits.', zh: '行政区划代码应为6位数字。' },
} as const;

/** Reads any six digits. An unknown or foreign code is an answer (`status`), not a failure. */
export function parseRegion(input: string): Parsed<Region, RegionCheck> {
  const code = normaliseRegion(input);
  if (!/^\d{6}$/.test(code)) return toFailed(MESSAGES, 'FORMAT');
  const status = code.startsWith('12') ? 'UNKNOWN' : 'OUTSIDE_TIANJIN';
  const value = ROWS.get(code) ?? { code, name: null, status, becameCode: null, abolishedIn: null };
  return { ok: true, value, normalised: code !== input };
}

/** True for a code of Tianjin that is in force today, in normal form. */
export const isCurrentRegion = (input: string): boolean => ROWS.get(input)?.status === 'CURRENT';

export const normaliseRegion = toPlainCode;

/**
 * The region of today for a code of any time, or null where it cannot be told. It says what became of the code, not
 * where a company is: the region in a credit code is that of registration, for life.
 */
export function toCurrentRegion(code: string): RegionRow | null {
  const becameCode = ROWS.get(normaliseRegion(code))?.becameCode;
  return (becameCode && ROWS.get(becameCode)) || null;
}
