/**
 * A proxy between a foreign router and our subgraphs: it stands for whoever sits on the network. As the attacker it forges the
 * signed principal in one way after the other; as the control it signs with the gateway's own key, and the data flow.
 */
import type { FastifyInstance } from 'fastify';
import Fastify from 'fastify';
import type { KeyObject } from 'node:crypto';
import { createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { request } from 'undici';
import { sandboxKey } from '../../../schema/keys.ts';
import type { Principal } from '../../../schema/principal.ts';
import { PRINCIPAL_HEADER } from '../../../schema/principal.ts';

/** How the principal of a request is made up. `signed` is the control. */
export const DISGUISES = [
  'none',
  'empty',
  'foreign key',
  'no algorithm',
  'expired',
  'for another body',
  'replayed',
  'signed',
] as const;
export type Disguise = (typeof DISGUISES)[number];

export interface SigningProxy {
  readonly url: string;
  /** For all requests from now on. */
  wear(disguise: Disguise, principal: Principal): void;
  close(): Promise<void>;
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** `items`: all that the catalogue has; `upstream`: the subgraphs' base address. */
export async function startSigningProxy(upstream: string, items: readonly string[]): Promise<SigningProxy> {
  const app: FastifyInstance = Fastify({ forceCloseConnections: true, bodyLimit: 8 * 1024 * 1024 });
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_, body, done) => done(null, body));
  const strange = generateKeyPairSync('ed25519').privateKey;
  /** Tokens that were seen on the way, by body and subgraph: what a replay has to offer. */
  const seen = new Map<string, string>();
  let worn: { disguise: Disguise; principal: Principal } | null = null;

  /** A token as the gateway makes them, but for what is wrong with it. */
  function tokenFor(
    subgraph: string,
    body: string,
    wrong: { key?: KeyObject; body?: string; agoS?: number; alg?: string },
  ) {
    const iat = Math.floor(Date.now() / 1000) - (wrong.agoS ?? 0);
    const claims = {
      principal: worn?.principal,
      items,
      aud: subgraph,
      body: createHash('sha256')
        .update(wrong.body ?? body)
        .digest('base64url'),
      iat,
      exp: iat + 30,
      jti: randomUUID(),
    };
    const input = `${encode({ alg: wrong.alg ?? 'EdDSA', typ: 'jinxin-principal+jws' })}.${encode(claims)}`;
    if (wrong.alg === 'none') return `${input}.`;
    return `${input}.${sign(null, Buffer.from(input), wrong.key ?? sandboxKey('gateway')).toString('base64url')}`;
  }

  function headerFor(subgraph: string, body: string): string | null {
    const key = `${subgraph} ${body}`;
    switch (worn?.disguise) {
      case 'empty':
        return '';
      case 'foreign key':
        return tokenFor(subgraph, body, { key: strange });
      case 'no algorithm':
        return tokenFor(subgraph, body, { alg: 'none' });
      case 'expired':
        return tokenFor(subgraph, body, { agoS: 3_600 });
      case 'for another body':
        return tokenFor(subgraph, body, { body: '{}' });
      case 'replayed':
        return seen.get(key) ?? [...seen.values()][0] ?? null;
      case 'signed': {
        const token = tokenFor(subgraph, body, {});
        seen.set(key, token);
        return token;
      }
      default:
        return null;
    }
  }

  app.post<{ Params: { subgraph: string } }>('/:subgraph/graphql', async (incoming, reply) => {
    const body = incoming.body as string;
    const header = headerFor(incoming.params.subgraph, body);
    const response = await request(`${upstream}/${incoming.params.subgraph}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(header === null ? {} : { [PRINCIPAL_HEADER]: header }),
      },
      body,
    });
    return reply
      .code(response.statusCode)
      .type('application/json')
      .send(await response.body.text());
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const address = app.server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    wear: (disguise, principal) => (worn = { disguise, principal }),
    close: () => app.close(),
  };
}
