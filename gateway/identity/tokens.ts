/**
 * Access token → who it is for. What holds and what does not is the same everywhere: RFC 7519, 8725 (best practice),
 * 9068 (access tokens), 8705 (bound to a certificate).
 */
import type { JWTPayload } from 'jose';
import { jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import type { KeyObject } from 'node:crypto';
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { principalSchema } from '../../schema/principal.ts';
import { PRINCIPAL_KINDS, PURPOSES } from '../../schema/purpose.ts';
import { ALGORITHMS, readCompactToken } from './compact-token.ts';
import type { FindKey } from './key-set.ts';

/** Claims that hold. The first purpose is the default. */
export type TokenClaims = z.infer<typeof claimsSchema>;

/** Null: the token does not hold, for whatever reason; what exactly was wrong is of use to a forger only. */
export type ReadToken = (text: string) => Promise<TokenClaims | null>;

/** Most seconds by which the issuer's clock and ours may differ. */
const CLOCK_TOLERANCE_S = 30;

const claimsSchema = z.object({
  iss: z.string(),
  // Lists within lists and lists of anything else than texts are nobody's audience.
  aud: z.union([z.string(), z.array(z.string()).max(64)]),
  exp: z.number(),
  iat: z.number().optional(),
  sub: z.string().min(1).max(128),
  // A way to prove possession that we cannot check is not taken for proved.
  cnf: z.strictObject({ 'x5t#S256': z.string() }).optional(),
  /** Ours: who it is, and for which purposes it may ask. */
  jinxin: z.object({
    kind: z.enum(PRINCIPAL_KINDS),
    purposes: z.tuple([z.enum(PURPOSES)], z.enum(PURPOSES)),
    department: z.string().max(64).optional(),
    subjects: z.array(z.string().max(256)).max(64).default([]),
    actsFor: principalSchema.shape.actsFor,
  }),
});

/** A token whose signature, issuer and audience held under this very key. What time changes is looked at anew. */
interface Verified {
  readonly key: KeyObject;
  readonly claims: TokenClaims;
  /** Seconds since the epoch before which it is not to be used. */
  readonly notBefore: number;
}

/** A bank sends one token with thousands of requests. */
const MOST_VERIFIED = 10_000;

/** `now` in milliseconds since the epoch. */
export function createReadToken(options: {
  issuer: string;
  audience: string;
  findKey: FindKey;
  now: () => number;
}): ReadToken {
  // By digest: a token that is kept could be stolen.
  const verified = new LRUCache<string, Verified>({ max: MOST_VERIFIED });

  return async (text) => {
    const token = readCompactToken(text);
    if (!token) return null;
    // Asked each time: a key that the issuer has withdrawn, or renewed, is not found or is another one.
    const key = await options.findKey(token.keyId, token.algorithm);
    if (!key) return null;
    const name = createHash('sha256').update(text).digest('base64url');
    const known = verified.get(name);
    if (known?.key === key) return isInTime(known) ? known.claims : null;
    const fresh = await verify(text, key);
    if (!fresh) return null;
    verified.set(name, fresh);
    return isInTime(fresh) ? fresh.claims : null;
  };

  async function verify(text: string, key: KeyObject): Promise<Verified | null> {
    const { payload } = await jwtVerify<JWTPayload>(text, key, {
      issuer: options.issuer,
      audience: options.audience,
      algorithms: [...ALGORITHMS],
      requiredClaims: ['exp', 'sub'],
      clockTolerance: CLOCK_TOLERANCE_S,
      currentDate: new Date(options.now()),
    }).catch(() => ({ payload: null }));
    const parsed = payload && claimsSchema.safeParse(payload);
    if (!parsed?.success) return null;
    return { key, claims: parsed.data, notBefore: payload?.nbf ?? -Infinity };
  }

  function isInTime({ claims: { exp, iat = -Infinity }, notBefore }: Verified): boolean {
    const now = options.now() / 1_000;
    return (
      now < exp + CLOCK_TOLERANCE_S && notBefore <= now + CLOCK_TOLERANCE_S && iat <= now + CLOCK_TOLERANCE_S
    );
  }
}
