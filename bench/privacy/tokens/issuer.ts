/** An issuer for the harness: keys of every kind, a real JWKS endpoint, tokens signed with whatever header and claims. */
import { constants, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';

export type Alg = 'EdDSA' | 'ES256' | 'RS256' | 'PS256';
export interface SigningKey {
  readonly kid: string;
  readonly alg: Alg;
  readonly key: KeyObject;
}

export function createSigningKey(kid: string, alg: Alg): SigningKey {
  if (alg === 'EdDSA') return { kid, alg, key: generateKeyPairSync('ed25519').privateKey };
  if (alg === 'ES256')
    return { kid, alg, key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey };
  return { kid, alg, key: generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey };
}

export const toJwk = ({ kid, alg, key }: SigningKey) => ({
  ...createPublicKey(key).export({ format: 'jwk' }),
  kid,
  alg,
  use: 'sig',
});

/** Bytes and texts as they are, everything else as JSON. */
export function encode(value: unknown): string {
  if (Buffer.isBuffer(value)) return value.toString('base64url');
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
}

/** Signs as `alg` says, whatever the header says. */
export function signAs(alg: Alg, key: KeyObject, header: unknown, claims: unknown): string {
  const input = `${encode(header)}.${encode(claims)}`;
  const bytes = Buffer.from(input);
  if (alg === 'EdDSA') return `${input}.${sign(null, bytes, key).toString('base64url')}`;
  const padding = alg === 'PS256' ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING;
  const options =
    alg === 'ES256' ? { key, dsaEncoding: 'ieee-p1363' as const } : { key, padding, saltLength: 32 };
  return `${input}.${sign('sha256', bytes, alg.startsWith('RS') ? { key } : options).toString('base64url')}`;
}

/** A token as the issuer makes it. */
export const issue = ({ kid, alg, key }: SigningKey, claims: unknown, header: object = {}) =>
  signAs(alg, key, { alg, kid, ...header }, claims);

export interface JwksEndpoint {
  readonly url: string;
  /** How many times it was asked. */
  asked(): number;
  /** What it answers from now on. */
  answerWith(respond: (response: ServerResponse) => void): void;
  publish(keys: readonly SigningKey[]): void;
  close(): Promise<void>;
}

export async function startJwksEndpoint(): Promise<JwksEndpoint> {
  let asked = 0;
  let respond = (response: ServerResponse): void => void response.writeHead(503).end();
  const server = createServer((_: IncomingMessage, response) => {
    asked++;
    respond(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/jwks`,
    asked: () => asked,
    answerWith(next) {
      respond = next;
    },
    publish(keys) {
      const body = JSON.stringify({ keys: keys.map(toJwk) });
      respond = (response) => void response.writeHead(200, { 'content-type': 'application/json' }).end(body);
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
