/**
 * Bodies under SM4-CBC (GB/T 32907) with an HMAC-SM3 over the sealed text, in both directions. CBC alone keeps nothing
 * from being changed; the MAC is checked before anything is opened.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** Base64 `iv` and `data`, hex `mac`. */
export interface SealedBody {
  readonly iv: string;
  readonly data: string;
  readonly mac: string;
}

export interface Envelope {
  /** `nonce` of the request that the body belongs to: an answer cannot be passed off as that to another question. */
  seal(text: string, nonce: string): SealedBody;
  open(body: SealedBody, nonce: string): string;
}

/** The body was changed, cut, or sealed under another key or for another request. Says no more than that. */
export class EnvelopeError extends Error {
  constructor(fact: string) {
    super(fact);
    this.name = 'EnvelopeError';
  }
}

/** `key`: 16 bytes, agreed with the department. */
export function createEnvelope(key: Uint8Array): Envelope {
  if (key.length !== 16) throw new RangeError('an SM4 key has 16 bytes');
  // A key of its own for the MAC: one key is never used for two purposes.
  const macKey = createHmac('sm3', key).update('mac').digest();
  const macOf = (direction: 'question' | 'answer', nonce: string, iv: string, data: string): Buffer =>
    createHmac('sm3', macKey).update([direction, nonce, iv, data].join('\n')).digest();

  return {
    seal(text, nonce) {
      const vector = randomBytes(16);
      const cipher = createCipheriv('sm4-cbc', key, vector);
      const iv = vector.toString('base64');
      const data = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]).toString('base64');
      return { iv, data, mac: macOf('question', nonce, iv, data).toString('hex') };
    },
    open({ iv, data, mac }, nonce) {
      const given = Buffer.from(mac, 'hex');
      const expected = macOf('answer', nonce, iv, data);
      if (given.length !== expected.length || !timingSafeEqual(given, expected))
        throw new EnvelopeError(
          'answered with a body that was changed, or is not the answer to this request',
        );
      try {
        const cipher = createDecipheriv('sm4-cbc', key, Buffer.from(iv, 'base64'));
        const plain = Buffer.concat([cipher.update(Buffer.from(data, 'base64')), cipher.final()]);
        return new TextDecoder('utf-8', { fatal: true }).decode(plain);
      } catch {
        // Not the cause: it may hold a part of the opened text.
        throw new EnvelopeError('answered with a body that cannot be opened');
      }
    },
  };
}
