/** What the headers of a request say, and where they say two things at once. */
import type { IncomingHttpHeaders } from 'node:http';

/** Of these Node takes the first or joins them all; whoever stands before us may have taken the last. */
const ONCE = ['authorization', 'content-type', 'content-encoding', 'jinxin-purpose', 'idempotency-key'];

/** `raw` as Node gives it: name, value, name, value, … */
export function hasRepeatedHeader(raw: readonly string[]): boolean {
  const names = raw.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());
  return ONCE.some((name) => names.indexOf(name) !== names.lastIndexOf(name));
}

/**
 * JSON in UTF-8 and nothing that says otherwise: `charset` in any other form than `charset=utf-8` is refused, since a reader
 * who believes it sees another body (an UTF-7 or ISO-2022 one has no quotes where we see them).
 */
export function isUtf8Json(contentType: string | undefined): boolean {
  const [, type, parameters = ''] = /^([^;]*)(.*)$/s.exec(contentType ?? '') ?? [];
  if (type?.trim().toLowerCase() !== 'application/json') return false;
  return !/charset/i.test(parameters) || /^\s*;\s*charset=(utf-?8|"utf-?8")\s*;?\s*$/i.test(parameters);
}

/** The Idempotency-Key header: 1 to 128 visible ASCII characters; null when there is none, undefined when it is another. */
export function idempotencyKeyOf(headers: IncomingHttpHeaders): string | null | undefined {
  const value = headers['idempotency-key'];
  if (value === undefined) return null;
  return typeof value === 'string' && /^[\x21-\x7e]{1,128}$/.test(value) ? value : undefined;
}
