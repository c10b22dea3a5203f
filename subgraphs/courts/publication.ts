/** How long a listing as 失信被执行人 is shown. */

export type DisruptKind =
  | 'ABLE_BUT_REFUSED'
  | 'OBSTRUCTED_ENFORCEMENT'
  | 'EVADED_ENFORCEMENT'
  | 'BROKE_REPORTING_DUTY'
  | 'BROKE_CONSUMPTION_ORDER'
  | 'REFUSED_SETTLEMENT';

const TERM_YEARS = 2;

/**
 * The last day of a listing (YYYY-MM-DD), or null without a fixed one: two years, one to three more where force was used
 * or several grounds met; who can pay and refuses stays until the court removes the entry (法释〔2017〕7号).
 */
export function lastDayOf(listing: {
  readonly publishedFrom: string;
  readonly kinds: readonly DisruptKind[];
  readonly extendedYears: number;
}): string | null {
  if (listing.kinds.every((kind) => kind === 'ABLE_BUT_REFUSED')) return null;
  return addYears(listing.publishedFrom, TERM_YEARS + listing.extendedYears);
}

/** Whether a record is shown on a day: published, not past its last day, not removed. All days as YYYY-MM-DD. */
export function isPublished(
  record: {
    readonly publishedFrom: string;
    readonly publishedUntil: string | null;
    readonly removedOn: string | null;
  },
  today: string,
): boolean {
  if (today < record.publishedFrom) return false;
  if (record.publishedUntil !== null && today > record.publishedUntil) return false;
  return record.removedOn === null || today < record.removedOn;
}

/** A period of years ends on the day of the same date; where there is none, on the last of that month. */
function addYears(date: string, years: number): string {
  const [year = 0, month = 1, day = 1] = date.split('-').map(Number);
  const lastOfMonth = new Date(Date.UTC(year + years, month, 0)).getUTCDate();
  return new Date(Date.UTC(year + years, month - 1, Math.min(day, lastOfMonth))).toISOString().slice(0, 10);
}
