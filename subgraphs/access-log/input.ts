/** What a caller says, checked before it reaches the store: what PostgreSQL refuses would be held against the store. */
import { createError } from '../../schema/errors.ts';
import type { AuditFilter } from './source.ts';

const DAY_MS = 86_400_000;
/** Without a subject a filter reads the log itself. */
const LONGEST_DAYS = 93;
const EARLIEST = Date.UTC(2000, 0);
const LATEST = Date.UTC(2200, 0);
const LEAST_REASON = 10;
const MOST_REASON = 500;

export function invalid(attribute: string, rule: string) {
  return createError('INVALID_INPUT', { detail: `${attribute} ${rule}.`, extensions: { attribute } });
}

/** ISO 8601 in UTC with milliseconds; throws INVALID_INPUT for what is no moment of this platform's life. */
export function readMoment(text: string, attribute: string): string {
  const at = Date.parse(text);
  if (!(at >= EARLIEST && at < LATEST)) throw invalid(attribute, 'is not a moment');
  return new Date(at).toISOString();
}

/** `now` in ms. */
export function readFilter(filter: AuditFilter, now: number): AuditFilter {
  const { consumer = null, purpose = null, subject = null } = filter;
  if (consumer !== null && !/^[^\p{Cc}]{1,128}$/u.test(consumer))
    throw invalid('filter.consumer', 'is not the id of a consumer');
  const from = filter.from == null ? null : readMoment(filter.from, 'filter.from');
  const until = filter.until == null ? null : readMoment(filter.until, 'filter.until');
  const end = until === null ? now : Date.parse(until);
  if (subject === null && (from === null || end - Date.parse(from) > LONGEST_DAYS * DAY_MS))
    throw invalid(
      'filter.from',
      `must be at most ${LONGEST_DAYS} days before the end where no subject is named`,
    );
  return { subject, consumer, purpose, from, until };
}

export interface ExtendAccessDelayInput {
  readonly record: string;
  readonly at: string;
  readonly until: string;
  readonly reason: string;
}

export function readReason(reason: string): string {
  const text = reason.trim();
  if (text.length < LEAST_REASON || text.length > MOST_REASON || /[^\P{Cc}\n]/u.test(text))
    throw invalid('input.reason', `must be ${LEAST_REASON} to ${MOST_REASON} printable characters`);
  return text;
}

/**
 * Throws INVALID_INPUT unless a delay may be extended: it has not ended, and the new end lies between the end it has and
 * the cap. Times in ms; `delay` is null for a purpose that is not delayed.
 */
export function assertExtensible(
  record: { readonly at: number; readonly shownFrom: number },
  delay: { readonly most: number } | null,
  until: number,
  now: number,
): asserts delay is { readonly most: number } {
  if (!delay || record.shownFrom <= now)
    throw invalid('input.record', 'names nothing that is still to be told');
  if (until <= record.shownFrom) throw invalid('input.until', 'must be after the end that the delay has');
  if (until > record.at + delay.most)
    throw invalid('input.until', `must be at most ${delay.most / DAY_MS} days after the access`);
}

/** "2026-11" → the month in China, from its first moment until that of the next. Throws INVALID_INPUT. */
export function readMonth(month: string): { readonly from: string; readonly until: string } {
  const [, year, number] = /^(20\d\d)-(0[1-9]|1[0-2])$/.exec(month) ?? [];
  if (year === undefined || number === undefined) throw invalid('month', 'must read YYYY-MM');
  const startOf = (index: number) => new Date(Date.UTC(Number(year), index) - 8 * 3_600_000).toISOString();
  return { from: startOf(Number(number) - 1), until: startOf(Number(number)) };
}
