/** Hours in which a department answers, "HH:MM" in China Standard Time (UTC+8, no daylight saving since 1992). */
export interface ServiceWindow {
  readonly from: string;
  readonly to: string;
}

/** `from` included, `to` not; a window may span midnight; equal ends mean always. */
export function isWithin(window: ServiceWindow, now: number): boolean {
  const minute = Math.floor((now + 8 * 3_600_000) / 60_000) % 1440;
  const from = toMinute(window.from);
  const to = toMinute(window.to);
  if (from === to) return true;
  return from < to ? minute >= from && minute < to : minute >= from || minute < to;
}

function toMinute(text: string): number {
  const [hour = 0, minute = 0] = text.split(':').map(Number);
  return (hour * 60 + minute) % 1440;
}
