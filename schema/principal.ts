/**
 * The signed principal: how a subgraph knows on whose behalf the gateway asks, without trusting the network between them.
 *
 * The gateway signs a compact JWS (EdDSA, RFC 8037) over who, why, which catalogue items may be disclosed, until when, and
 * the digest of the very body that it accompanies; a subgraph verifies it and then checks its own catalogue again.
 */
import { createHash, createPublicKey, randomUUID, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { PRINCIPAL_KINDS, PURPOSES } from './purpose.ts';

export const principalSchema = z.object({
  kind: z.enum(PRINCIPAL_KINDS),
  /** The consumer: an organisation or, for a subject, the account. Never an ID number. */
  id: z.string().min(1).max(128),
  purpose: z.enum(PURPOSES),
  /** For kind `department`: the department whose officer this is. */
  department: z.string().max(64).optional(),
  /** For kind `subject`: the credit subjects that the principal is, or acts for (SubjectIds). */
  subjects: z.array(z.string().max(256)).max(64).readonly().default([]),
  /** Those of `subjects` for whom it only acts, and as what; for the others it is the subject itself. */
  actsFor: z
    .array(z.object({ subject: z.string().max(256), as: z.enum(['GUARDIAN', 'AGENT']) }).readonly())
    .max(64)
    .readonly()
    .optional(),
});
export type Principal = z.infer<typeof principalSchema>;

export const ANONYMOUS: Principal = {
  kind: 'public',
  id: 'anonymous',
  purpose: 'PUBLIC_QUERY',
  subjects: [],
};

const assertionSchema = z.object({
  /** The subgraph that it is for: what was signed for one is worth nothing at another. */
  aud: z.string().min(1).max(64),
  principal: principalSchema,
  /** Catalogue items that the gateway found this principal may see in this fetch. */
  items: z.array(z.string()),
  /** SHA-256 of the request body, base64url. */
  body: z.string(),
  /** Seconds since the epoch; at most LIFETIME_S after `iat`. */
  iat: z.number(),
  exp: z.number(),
  /** Accepted once (see subgraphs/replay.ts). */
  jti: z.string().min(1).max(64),
});
export type PrincipalAssertion = z.infer<typeof assertionSchema>;

export const PRINCIPAL_HEADER = 'jinxin-principal';
/** Milliseconds that the caller still has; a subgraph never works longer than that. */
export const DEADLINE_HEADER = 'jinxin-deadline';

const LIFETIME_S = 30;
const PROTECTED_HEADER = encode({ alg: 'EdDSA', typ: 'jinxin-principal+jws' });

/** Who may see what, and at which subgraph. */
export interface Grant {
  readonly subgraph: string;
  readonly principal: Principal;
  readonly items: readonly string[];
}

/** Signs for one request body; `now` in ms. The result is the value of PRINCIPAL_HEADER. */
export function signPrincipal(key: KeyObject, grant: Grant, body: string, now: number): string {
  const iat = Math.floor(now / 1000);
  const claims: PrincipalAssertion = {
    aud: grant.subgraph,
    principal: grant.principal,
    items: [...grant.items],
    body: digest(body),
    iat,
    exp: iat + LIFETIME_S,
    jti: randomUUID(),
  };
  const input = `${PROTECTED_HEADER}.${encode(claims)}`;
  return `${input}.${sign(null, Buffer.from(input), key).toString('base64url')}`;
}

/** Why a signed principal was not accepted; the reason is for the log, not for the caller. */
export class PrincipalError extends Error {
  constructor(reason: string) {
    super(`the signed principal was refused: ${reason}`);
    this.name = 'PrincipalError';
  }
}

/**
 * Checks signature, subgraph, lifetime and body; `now` in ms. The protected header is compared with the one constant that we
 * sign, so that no algorithm is ever chosen by the sender. Throws PrincipalError. That it has not been used before is for
 * whoever remembers to say.
 */
export function verifyPrincipal(
  key: KeyObject,
  token: string,
  expected: { readonly subgraph: string; readonly body: string },
  now: number,
): PrincipalAssertion {
  const [header, payload, signature, ...rest] = token.split('.');
  if (header !== PROTECTED_HEADER || !payload || !signature || rest.length > 0)
    throw new PrincipalError('not a token of ours');
  const bytes = Buffer.from(signature, 'base64url');
  // In the one spelling that it has: bits that mean nothing must be nought.
  if (bytes.toString('base64url') !== signature) throw new PrincipalError('wrong signature');
  if (!verify(null, Buffer.from(`${header}.${payload}`), key, bytes))
    throw new PrincipalError('wrong signature');
  const parsed = assertionSchema.safeParse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')));
  if (!parsed.success) throw new PrincipalError('claims of another shape');
  const { aud, exp, iat, body: signedBody } = parsed.data;
  if (aud !== expected.subgraph) throw new PrincipalError('signed for another subgraph');
  const seconds = now / 1000;
  // Two clocks may differ: by less than a lifetime either way nothing that was just signed is refused.
  if (exp - iat > LIFETIME_S || seconds > exp || seconds < iat - LIFETIME_S)
    throw new PrincipalError('expired');
  if (signedBody !== digest(expected.body)) throw new PrincipalError('signed for another body');
  return parsed.data;
}

/** The public half of a key in PEM or JWK form, as configuration carries it. */
export function toPublicKey(pem: string): KeyObject {
  return createPublicKey(pem);
}

function digest(body: string): string {
  return createHash('sha256').update(body).digest('base64url');
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
