/**
 * SM2 with SM3 (GB/T 32918.2-2016) in software, for receipts that are verified in China. Where a certified machine is
 * required (GB/T 39786), it takes this place behind the same interface.
 *
 * Node's own SM2 is not used: it signs with an empty signer id, or by plain ECDSA on the curve, and both verify against
 * themselves, so that nobody notices until a partner with the default id does.
 */
import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { sm2 } from 'sm-crypto-v2';
import type { SignatureSuite } from './suite.ts';
import { toSignatureBytes } from './suite.ts';

/** The signer id that GB/T 35276 prescribes where none was agreed. */
const SIGNER_ID = '1234567812345678';
const SCALAR_AT = 36;
const POINT_BYTES = 65;

/** `key`: an EC key on the curve SM2. With the public half alone the suite verifies and refuses to sign. */
export function createSm2Suite(key: KeyObject): SignatureSuite {
  const spki = (key.type === 'private' ? createPublicKey(key) : key).export({ type: 'spki', format: 'der' });
  const publicKey = spki.subarray(-POINT_BYTES).toString('hex');
  const scalar =
    key.type === 'private'
      ? key
          .export({ type: 'pkcs8', format: 'der' })
          .subarray(SCALAR_AT, SCALAR_AT + 32)
          .toString('hex')
      : null;
  const options = { hash: true, der: true, userId: SIGNER_ID } as const;
  return {
    algorithm: 'SM2-SM3',
    keyId: createHash('sha256').update(spki).digest('base64url').slice(0, 16),
    sign(text) {
      if (scalar === null) throw new Error('this SM2 key can verify, not sign');
      const signature = sm2.doSignature(Buffer.from(text), scalar, { ...options, publicKey });
      return Buffer.from(signature, 'hex').toString('base64url');
    },
    verify(text, signature) {
      const der = toSignatureBytes(signature);
      if (der === null) return false;
      // The library reads DER loosely: only the one encoding that it would write itself is taken, or a receipt could be
      // changed without its signature failing.
      const numbers = readSequence(der);
      if (numbers === null || !writeSequence(numbers).equals(der)) return false;
      try {
        return sm2.doVerifySignature(Buffer.from(text), der.toString('hex'), publicKey, options);
      } catch {
        // Numbers outside of the group's order: not a signature of anything.
        return false;
      }
    },
  };
}

/** A private SM2 key from its scalar (32 bytes, hex): SEC 1 in PKCS#8 (RFC 5915), the point included. */
export function toSm2Key(scalarHex: string): KeyObject {
  const point = sm2.getPublicKeyFromPrivateKey(scalarHex);
  const sec1 = `30770201010420${scalarHex}a00a06082a811ccf5501822da14403420004${point.slice(2)}`;
  return createPrivateKey({ key: Buffer.from(sec1, 'hex'), format: 'der', type: 'sec1' });
}

/** The two integers of a DER sequence, as their bytes without leading zeros; null where it is none. */
function readSequence(der: Buffer): readonly [Buffer, Buffer] | null {
  const first = der[3] ?? 0;
  const second = der[5 + first] ?? 0;
  const r = der.subarray(4, 4 + first);
  const s = der.subarray(6 + first, 6 + first + second);
  return r.length > 0 && s.length > 0 ? [trim(r), trim(s)] : null;
}

function writeSequence(numbers: readonly Buffer[]): Buffer {
  const body = Buffer.concat(
    numbers.map((number) => {
      const padded = (number[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.of(0), number]) : number;
      return Buffer.concat([Buffer.of(0x02, padded.length), padded]);
    }),
  );
  return Buffer.concat([Buffer.of(0x30, body.length), body]);
}

function trim(number: Buffer): Buffer {
  const at = number.findIndex((byte) => byte !== 0);
  return at < 0 ? number.subarray(-1) : number.subarray(at);
}
