/**
 * Databases that were set up as latin1 and filled with GBK: the server takes each byte for a character of Windows-1252 and
 * hands that on as UTF-8. Back to the bytes, and then to the characters that were meant.
 */
import iconv from 'iconv-lite';
import { WireError } from './request.ts';

/** Bytes 80–9F in what MySQL calls latin1; the five that Windows-1252 leaves open are control characters. */
const HIGH = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ';
const BYTES = new Map<string, number>(
  Array.from({ length: 256 }, (_, byte) => [String.fromCharCode(byte), byte]),
);
for (const [at, character] of [...HIGH].entries()) {
  BYTES.delete(String.fromCharCode(0x80 + at));
  BYTES.set(character, 0x80 + at);
}
for (const [at, character] of [...HIGH].entries()) BYTES.set(character, 0x80 + at);

/** Throws WireError for what is not GBK read as latin1. */
export function fromGbkInLatin1(text: string): string {
  const bytes = Buffer.alloc(text.length);
  let at = 0;
  for (const character of text) {
    const byte = BYTES.get(character);
    if (byte === undefined) throw new WireError('answered in another character set');
    bytes[at++] = byte;
  }
  const decoded = iconv.decode(bytes.subarray(0, at), 'gbk');
  if (decoded.includes('\ufffd')) throw new WireError('answered in another character set');
  return decoded;
}
