/**
 * A receipt as a QR code holds it: 186 characters with Ed25519, some ten more with SM2, which any reader of codes shows as
 * text and `npm run receipt:verify -- --qr TEXT` verifies with the public key alone.
 *
 * The form is binary under base64url, behind "JX1.": one byte for the algorithm, 16 for the id, 6 for the moment
 * (milliseconds since 1970, big-endian), 12 for the key's name, 32 for the digest, and the signature.
 */
import type { Receipt } from './receipt.ts';

const PREFIX = 'JX1.';
const ALGORITHMS = ['SM2-SM3', 'Ed25519'] as const;
const FIXED_BYTES = 1 + 16 + 6 + 12 + 32;

export class QrError extends Error {
  override readonly name = 'QrError';
}

/** Throws QrError when the receipt is not one that we issue: nothing of it may be lost, or its signature would not hold. */
export function toQrText(receipt: Receipt): string {
  const algorithm = ALGORITHMS.findIndex((name) => name === receipt.algorithm);
  const moment = Buffer.alloc(6);
  const issuedAt = Date.parse(receipt.issuedAt);
  if (algorithm < 0 || !(issuedAt >= 0 && issuedAt < 2 ** 48))
    throw new QrError('a receipt of another algorithm or time has no QR form');
  moment.writeUIntBE(issuedAt, 0, 6);
  const text =
    PREFIX +
    Buffer.concat([
      Buffer.of(algorithm),
      Buffer.from(receipt.id.replaceAll('-', ''), 'hex'),
      moment,
      Buffer.from(receipt.keyId, 'base64url'),
      Buffer.from(receipt.digest, 'hex'),
      Buffer.from(receipt.signature, 'base64url'),
    ]).toString('base64url');
  const back = readQrText(text);
  const isSame = (Object.keys(back) as (keyof Receipt)[]).every((name) => back[name] === receipt[name]);
  if (!isSame) throw new QrError('the receipt is not written as we write receipts');
  return text;
}

/** The receipt that the text holds. Throws QrError when it holds none; whether it is ours is for its signature to tell. */
export function readQrText(text: string): Receipt {
  const bytes = Buffer.from(text.slice(PREFIX.length), 'base64url');
  const algorithm = ALGORITHMS[bytes[0] ?? -1];
  const isWhole = text.startsWith(PREFIX) && bytes.toString('base64url') === text.slice(PREFIX.length);
  if (!isWhole || algorithm === undefined || bytes.length <= FIXED_BYTES)
    throw new QrError('the text is not that of a receipt’s QR code');
  const [id, digest] = [bytes.toString('hex', 1, 17), bytes.toString('hex', 35, 67)];
  return {
    id: [id.slice(0, 8), id.slice(8, 12), id.slice(12, 16), id.slice(16, 20), id.slice(20)].join('-'),
    issuedAt: new Date(bytes.readUIntBE(17, 6)).toISOString(),
    algorithm,
    keyId: bytes.toString('base64url', 23, 35),
    digest,
    signature: bytes.toString('base64url', FIXED_BYTES),
  };
}
