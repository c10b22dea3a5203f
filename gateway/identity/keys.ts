/** A JSON Web Key Set (RFC 7517) as the keys that may verify, each under its id and for its own algorithms only. */
import { createPublicKey } from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';
import { z } from 'zod';
import type { Algorithm } from './compact-token.ts';

export interface IssuerKey {
  readonly key: KeyObject;
  readonly algorithms: readonly Algorithm[];
}
/** By key id. */
export type IssuerKeys = ReadonlyMap<string, IssuerKey>;

const MOST_KEYS = 64;
const setSchema = z.object({ keys: z.array(z.unknown()).max(MOST_KEYS) });
const keySchema = z.looseObject({
  kty: z.enum(['OKP', 'EC', 'RSA']),
  kid: z.string().min(1).max(256),
  crv: z.string().optional(),
  alg: z.string().optional(),
  use: z.literal('sig').optional(),
  key_ops: z.array(z.string()).optional(),
  n: z.string().max(2_000).optional(),
});

/**
 * Throws when `set` is no key set at all. A key of a set that we cannot use (another use or algorithm, too short, a secret
 * or a private one) is left out, and so is every key whose id stands there twice: which one was meant nobody can tell.
 */
export function toIssuerKeys(set: unknown): IssuerKeys {
  const keys = new Map<string, IssuerKey>();
  const seen = new Set<string>();
  for (const entry of setSchema.parse(set).keys) {
    const parsed = keySchema.safeParse(entry);
    if (!parsed.success) continue;
    const { kid } = parsed.data;
    const usable = toKey(parsed.data);
    if (seen.has(kid)) keys.delete(kid);
    else if (usable) keys.set(kid, usable);
    seen.add(kid);
  }
  return keys;
}

function toKey(jwk: z.infer<typeof keySchema>): IssuerKey | null {
  // A private half in a published set is no secret any more: whoever reads it can sign.
  if (Object.hasOwn(jwk, 'd') || (jwk.key_ops && !jwk.key_ops.includes('verify'))) return null;
  const algorithms = algorithmsOf(jwk).filter((one) => jwk.alg === undefined || jwk.alg === one);
  if (algorithms.length === 0) return null;
  try {
    const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
    const bits = key.asymmetricKeyDetails?.modulusLength;
    // RFC 7518, 3.3: 2048 bits or more.
    return jwk.kty === 'RSA' && (bits ?? 0) < 2_048 ? null : { key, algorithms };
  } catch {
    return null;
  }
}

/** The key says which algorithms it is for; a token only chooses among them. */
function algorithmsOf({ kty, crv }: z.infer<typeof keySchema>): readonly Algorithm[] {
  if (kty === 'RSA') return ['RS256', 'PS256'];
  if (kty === 'EC') return crv === 'P-256' ? ['ES256'] : [];
  return crv === 'Ed25519' ? ['EdDSA'] : [];
}
