/** How evidence is signed: one interface, so that a suite in software can give way to a cryptographic machine. */
import type { KeyObject } from 'node:crypto';
import { createHash, createPublicKey, sign, verify } from 'node:crypto';

export interface SignatureSuite {
  readonly algorithm: 'Ed25519' | 'SM2-SM3';
  /** Names the public key: the start of the SHA-256 of its SPKI. */
  readonly keyId: string;
  sign(text: string): string;
  verify(text: string, signature: string): boolean;
}

export function createEd25519Suite(key: KeyObject): SignatureSuite {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return {
    algorithm: 'Ed25519',
    keyId: createHash('sha256').update(spki).digest('base64url').slice(0, 16),
    sign: (text) => sign(null, Buffer.from(text), key).toString('base64url'),
    verify: (text, signature) =>
      verify(null, Buffer.from(text), publicKey, Buffer.from(signature, 'base64url')),
  };
}
