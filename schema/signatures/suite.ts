/** How evidence is signed: one interface, so that a suite in software can give way to a cryptographic machine (device.ts). */
import type { KeyObject } from 'node:crypto';
import { createHash, createPublicKey, sign, verify } from 'node:crypto';

/** What signs evidence, in this process or elsewhere: a cryptographic machine (HSM) answers when it has signed. */
export interface Signatures {
  readonly algorithm: 'Ed25519' | 'SM2-SM3';
  /** Names the public key: the start of the SHA-256 of its SPKI. */
  readonly keyId: string;
  /** Signature over the UTF-8 of the text, base64url; of SM2 in DER. Rejects when it could not be made. */
  sign(text: string): string | Promise<string>;
  verify(text: string, signature: string): boolean;
}

/** One that signs in this process, at once. */
export interface SignatureSuite extends Signatures {
  sign(text: string): string;
}

export function createEd25519Suite(key: KeyObject): SignatureSuite {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return {
    algorithm: 'Ed25519',
    keyId: createHash('sha256').update(spki).digest('base64url').slice(0, 16),
    sign: (text) => sign(null, Buffer.from(text), key).toString('base64url'),
    verify(text, signature) {
      const bytes = toSignatureBytes(signature);
      return bytes !== null && verify(null, Buffer.from(text), publicKey, bytes);
    },
  };
}

/** Node reads base64url loosely: only the one spelling is taken, or a receipt could be changed without its signature failing. */
export function toSignatureBytes(signature: string): Buffer | null {
  const bytes = Buffer.from(signature, 'base64url');
  return bytes.toString('base64url') === signature ? bytes : null;
}
