/** Days as the law counts them: publication begins and ends with the calendar day in China (UTC+8, no daylight saving). */

const CHINA_MS = 8 * 3_600_000;
const DAY_MS = 86_400_000;

/** YYYY-MM-DD of a time in ms. */
export const dayInChina = (now: number): string => new Date(now + CHINA_MS).toISOString().slice(0, 10);

/** Whole seconds left of the day, at least one. What depends on the day is not kept longer. */
export function secondsLeftOfDay(now: number): number {
  const sinceMidnight = (now + CHINA_MS) % DAY_MS;
  return Math.max(1, Math.floor((DAY_MS - sinceMidnight) / 1000));
}
