/** What every table of the consent register is read by: the system's name, its moments and its periods. */
import { z } from 'zod';

export const REGISTER = '授权登记簿';

/** Stands for every subject, or every item, in the standing grants of a sandbox. */
export const ANY = '*';

/** A timestamptz as PostgreSQL's driver reads it → ISO 8601. */
export const moment = z.date().transform((date) => date.toISOString());

/** Milliseconds → the UTC date in which they lie, YYYY-MM-DD. */
export const toDay = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

const CHINA_MS = 8 * 3_600_000;

/** When the day and the month began in China (UTC+8, without summer time) in which `now` lies; ms. */
export function periodsOf(now: number): { readonly day: number; readonly month: number } {
  const there = new Date(now + CHINA_MS);
  const [year, month, day] = [there.getUTCFullYear(), there.getUTCMonth(), there.getUTCDate()];
  return { day: Date.UTC(year, month, day) - CHINA_MS, month: Date.UTC(year, month, 1) - CHINA_MS };
}
