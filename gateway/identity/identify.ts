/**
 * Who asks. A request without a token and without a certificate is the public; one of either that does not hold is 401,
 * never the public: whoever sends one means to be somebody. Where both are there they must agree.
 */
import type { GraphQLError } from 'graphql';
import type { Logger } from 'pino';
import { createError } from '../../schema/errors.ts';
import type { Principal } from '../../schema/principal.ts';
import { ANONYMOUS } from '../../schema/principal.ts';
import type { Purpose } from '../../schema/purpose.ts';
import { sandboxIssuer, sandboxJwks } from '../../schema/sandbox-tokens.ts';
import type { CertifiedClient, ClientCertificate, ClientDirectory } from './certificates.ts';
import { fetchJwks } from './jwks-endpoint.ts';
import { createRemoteKeys, createStaticKeys } from './key-set.ts';
import type { ReadToken, TokenClaims } from './tokens.ts';
import { createReadToken } from './tokens.ts';

export type IssuerConfig =
  | { readonly kind: 'none' }
  | { readonly kind: 'sandbox' }
  | { readonly kind: 'oidc'; readonly issuer: string; readonly audience: string; readonly jwksUri: string };

export interface Credentials {
  readonly authorization: string | undefined;
  /** Value of the Jinxin-Purpose header. */
  readonly purpose: string | undefined;
  /** What the client showed in the TLS handshake, whether it holds or not; null: nothing. */
  readonly certificate: ClientCertificate | null;
}

/** Rejects with UNAUTHENTICATED or PURPOSE_NOT_GRANTED (GraphQL errors of the table). */
export type Identify = (credentials: Credentials) => Promise<Principal>;

export interface IdentityOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds of a clock that never jumps. */
  readonly elapsed: () => number;
  /** Who may come with a certificate alone. */
  readonly clients: ClientDirectory;
  readonly log: Logger;
}

/** A principal with every purpose that it may ask for; the first is the default. */
interface Known {
  readonly principal: Omit<Principal, 'purpose'>;
  readonly purposes: readonly Purpose[];
}

export function createIdentify(config: IssuerConfig, options: IdentityOptions): Identify {
  const readToken = createTokenReader(config, options);
  return async ({ authorization, purpose, certificate }) => {
    if (certificate && !certificate.isTrusted) throw unauthenticated();
    const client = certificate ? options.clients.find(certificate.thumbprint) : null;
    // Without an issuer nobody can be anybody by a token: it is not looked at.
    if (authorization === undefined || authorization === '' || !readToken) {
      if (!certificate) return withPurpose({ principal: ANONYMOUS, purposes: ['PUBLIC_QUERY'] }, purpose);
      if (!client) throw unauthenticated();
      return withPurpose(toKnown(client), purpose);
    }
    const claims = await readBearer(authorization, readToken);
    return withPurpose(agreed(claims, certificate, client), purpose);
  };
}

function createTokenReader(config: IssuerConfig, options: IdentityOptions): ReadToken | null {
  const { now, elapsed, log } = options;
  if (config.kind === 'none') return null;
  if (config.kind === 'sandbox')
    return createReadToken({ ...sandboxIssuer, findKey: createStaticKeys(sandboxJwks()), now });
  const findKey = createRemoteKeys({ load: () => fetchJwks(config.jwksUri), elapsed, log });
  return createReadToken({ issuer: config.issuer, audience: config.audience, findKey, now });
}

async function readBearer(authorization: string, readToken: ReadToken): Promise<TokenClaims> {
  const [scheme, token, ...rest] = authorization.split(' ');
  if (scheme?.toLowerCase() !== 'bearer' || !token || rest.length > 0) throw unauthenticated();
  const claims = await readToken(token);
  if (!claims) throw unauthenticated();
  return claims;
}

/**
 * The token's principal, when the certificate does not speak against it. A token that is bound to a certificate is worth
 * nothing without that very one (RFC 8705, 3); a certificate that is somebody's allows that somebody's tokens only, for the
 * purposes that both grant; one that is nobody's is only good for a token that is bound to it.
 */
function agreed(
  claims: TokenClaims,
  certificate: ClientCertificate | null,
  client: CertifiedClient | null,
): Known {
  const known = fromClaims(claims);
  const bound = claims.cnf?.['x5t#S256'];
  if (bound !== undefined && bound !== certificate?.thumbprint) throw unauthenticated();
  if (!certificate) return known;
  if (!client) {
    if (bound === undefined) throw unauthenticated();
    return known;
  }
  const { kind, id, department } = known.principal;
  const isSame = kind === client.kind && id === client.id && department === client.department;
  if (!isSame) throw unauthenticated();
  return { ...known, purposes: known.purposes.filter((one) => client.purposes.includes(one)) };
}

function fromClaims({ sub, jinxin }: TokenClaims): Known {
  const { kind, department, subjects, actsFor } = jinxin;
  return {
    principal: {
      kind,
      id: sub,
      ...(department === undefined ? {} : { department }),
      subjects,
      ...(actsFor === undefined ? {} : { actsFor }),
    },
    purposes: jinxin.purposes,
  };
}

function toKnown({ kind, id, department, purposes }: CertifiedClient): Known {
  return {
    principal: { kind, id, ...(department === undefined ? {} : { department }), subjects: [] },
    purposes,
  };
}

function withPurpose({ principal, purposes }: Known, asked: string | undefined): Principal {
  const purpose = asked === undefined ? purposes[0] : purposes.find((one) => one === asked);
  if (!purpose) throw createError('PURPOSE_NOT_GRANTED');
  return { ...principal, purpose };
}

/** One text for every reason: what exactly was wrong is of use to a forger only. */
function unauthenticated(): GraphQLError {
  return createError('UNAUTHENTICATED');
}
