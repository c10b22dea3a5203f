/** The canonical form of JSON (RFC 8785) and its SM3 digest: what receipts, consents and audit heads are signed over. */
import canonicalizeModule from 'canonicalize';
import { createHash } from 'node:crypto';

// The package is CommonJS and its types speak of an ES default export that is not there.
const canonicalizeJson = canonicalizeModule as unknown as (value: unknown) => string | undefined;

/** RFC 8785 text of any JSON value; what JSON cannot hold is `null`. */
export function canonicalize(value: unknown): string {
  return canonicalizeJson(value) ?? 'null';
}

/** SM3 of the canonical form, hex. */
export function digestOf(value: unknown): string {
  return createHash('sm3').update(canonicalize(value)).digest('hex');
}
