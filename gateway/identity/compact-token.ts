/**
 * The outside of an access token: three pieces, a header that names an algorithm and a key of the issuer's, claims as JSON.
 * Everything by which a token could choose how it is checked is refused before a key is looked at (RFC 8725, 3.1 and 3.10).
 */
import { z } from 'zod';
import { parseUniqueJson } from '../http/unique-json.ts';

/** Asymmetric ones only: with a secret algorithm our public key would be the secret. */
export const ALGORITHMS = ['EdDSA', 'ES256', 'RS256', 'PS256'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

export interface CompactToken {
  readonly algorithm: Algorithm;
  readonly keyId: string;
  /** What was signed; still unverified. */
  readonly claims: unknown;
}

/**
 * Parameters that bring a key or name where one lies (jwk, jku, x5u, x5c), change what is signed (b64), ask for what we do
 * not know (crit), or say that the content is no claims at all (cty, zip, enc): RFC 7515, 4.1, RFC 7797, RFC 7516.
 */
const REFUSED = ['jwk', 'jku', 'x5u', 'x5c', 'b64', 'crit', 'cty', 'zip', 'enc', 'epk', 'apu', 'apv'];
const headerSchema = z.looseObject({
  alg: z.enum(ALGORITHMS),
  kid: z.string().min(1).max(256),
  // Another kind of token (one of our own signed principals, a logout token) is signed by keys of the same people.
  typ: z
    .string()
    .regex(/^(application\/)?(at\+)?jwt$/i)
    .optional(),
});
const LONGEST = 8_192;

/** Null for what is no token of a form that we look at; `text` is what stands behind "Bearer ". */
export function readCompactToken(text: string): CompactToken | null {
  if (text.length > LONGEST) return null;
  const pieces = text.split('.');
  const [header, payload, signature] = pieces.map(decodeCanonical);
  if (pieces.length !== 3 || !header || !payload || !signature) return null;
  try {
    const parsed = headerSchema.safeParse(parseUniqueJson(toText(header)));
    if (!parsed.success || REFUSED.some((name) => Object.hasOwn(parsed.data, name))) return null;
    const claims = parseUniqueJson(toText(payload));
    return { algorithm: parsed.data.alg, keyId: parsed.data.kid, claims };
  } catch {
    // No JSON, JSON that says something twice, or bytes that are no UTF-8.
    return null;
  }
}

/** base64url in the one spelling that it has: no padding, no other letters, no stray bits at the end (RFC 7515, 2). */
function decodeCanonical(piece: string): Buffer | null {
  const bytes = Buffer.from(piece, 'base64url');
  return bytes.length > 0 && bytes.toString('base64url') === piece ? bytes : null;
}

function toText(bytes: Buffer): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
}
