/**
 * Access token → Principal. A request without a token is the public; a token that does not hold is 401, never the public:
 * whoever sends one means to be somebody.
 */
import type { JWTVerifyGetKey } from 'jose';
import { createLocalJWKSet, createRemoteJWKSet, errors, jwtVerify } from 'jose';
import type { GraphQLError } from 'graphql';
import { GraphQLError as GraphQLErrorClass } from 'graphql';
import { z } from 'zod';
import { createError } from '../../schema/errors.ts';
import type { Principal } from '../../schema/principal.ts';
import { ANONYMOUS, principalSchema } from '../../schema/principal.ts';
import { PRINCIPAL_KINDS, PURPOSES } from '../../schema/purpose.ts';
import type { Purpose } from '../../schema/purpose.ts';
import { sandboxIssuer, sandboxJwks } from '../../schema/sandbox-tokens.ts';

export type IssuerConfig =
  | { readonly kind: 'none' }
  | { readonly kind: 'sandbox' }
  | { readonly kind: 'oidc'; readonly issuer: string; readonly audience: string; readonly jwksUri: string };

/** The claims of ours in a token: who it is, and for which purposes it may ask. The first purpose is the default. */
const claimsSchema = z.object({
  sub: z.string().min(1).max(128),
  jinxin: z.object({
    kind: z.enum(PRINCIPAL_KINDS),
    purposes: z.tuple([z.enum(PURPOSES)], z.enum(PURPOSES)),
    department: z.string().max(64).optional(),
    subjects: z.array(z.string().max(256)).max(64).default([]),
    actsFor: principalSchema.shape.actsFor,
  }),
});

const ALGORITHMS = ['EdDSA', 'ES256', 'RS256', 'PS256'];
const LONGEST_TOKEN = 8_192;

export type Identify = (headers: Headers) => Promise<Principal>;
interface Headers {
  readonly authorization: string | undefined;
  /** Value of the Jinxin-Purpose header. */
  readonly purpose: string | undefined;
}

/** Throws UNAUTHENTICATED or PURPOSE_NOT_GRANTED (GraphQL errors of the table). */
export function createIdentify(config: IssuerConfig): Identify {
  // Without an issuer nobody can be anybody: all are the public, and a token is not looked at.
  if (config.kind === 'none') return () => Promise.resolve(ANONYMOUS);
  const issuer =
    config.kind === 'sandbox'
      ? { ...sandboxIssuer, key: createLocalJWKSet(sandboxJwks()) as JWTVerifyGetKey }
      : {
          issuer: config.issuer,
          audience: config.audience,
          // A flood of unknown key ids costs one fetch in thirty seconds.
          key: createRemoteJWKSet(new URL(config.jwksUri), {
            cooldownDuration: 30_000,
            timeoutDuration: 3_000,
          }),
        };
  return async ({ authorization, purpose }) => {
    if (authorization === undefined || authorization === '')
      return withPurpose(ANONYMOUS, ['PUBLIC_QUERY'], purpose);
    const [scheme, token, ...rest] = authorization.split(' ');
    if (scheme?.toLowerCase() !== 'bearer' || !token || rest.length > 0 || token.length > LONGEST_TOKEN)
      throw unauthenticated();
    try {
      const { payload } = await jwtVerify(token, issuer.key, {
        issuer: issuer.issuer,
        audience: issuer.audience,
        algorithms: ALGORITHMS,
        requiredClaims: ['exp', 'sub'],
        clockTolerance: 30,
      });
      const parsed = claimsSchema.safeParse(payload);
      if (!parsed.success) throw unauthenticated();
      const { sub, jinxin } = parsed.data;
      const principal: Principal = {
        kind: jinxin.kind,
        id: sub,
        purpose: jinxin.purposes[0],
        ...(jinxin.department === undefined ? {} : { department: jinxin.department }),
        subjects: jinxin.subjects,
        ...(jinxin.actsFor === undefined ? {} : { actsFor: jinxin.actsFor }),
      };
      return withPurpose(principal, jinxin.purposes, purpose);
    } catch (error) {
      if (error instanceof errors.JOSEError) throw unauthenticated();
      // The key set could not be fetched, or the token is broken below JOSE: either way nobody is let in.
      if (error instanceof GraphQLErrorClass) throw error;
      throw unauthenticated();
    }
  };
}

function withPurpose(
  principal: Principal,
  granted: readonly Purpose[],
  asked: string | undefined,
): Principal {
  if (asked === undefined) return principal;
  const purpose = granted.find((one) => one === asked);
  if (!purpose) throw createError('PURPOSE_NOT_GRANTED');
  return { ...principal, purpose };
}

/** One text for every reason: what exactly was wrong is of use to a forger only. */
function unauthenticated(): GraphQLError {
  return createError('UNAUTHENTICATED');
}
