/** Text ↔ bytes of systems that say one character set and write another. */
import iconv from 'iconv-lite';

/** The character set that a system really writes, whatever its XML declaration says. */
export type WireBytes = 'gbk' | 'gb18030' | 'utf-8';

export class CharsetError extends Error {
  constructor(fact: string, cause?: unknown) {
    super(fact, cause === undefined ? undefined : { cause });
    this.name = 'CharsetError';
  }
}

/**
 * What cannot stand in good text: a character that was already lost, what ICU makes of a lone 0xFF in GBK, and the control
 * characters that XML 1.0 forbids.
 */
const SPOILT = /[\ufffd\uf8f5\u0000-\u0008\u000b\u000c\u000e-\u001f]/;

/** Throws CharsetError where the bytes are not text of this set. There is no replacement: a guessed name is another name. */
export function decodeStrictly(content: Uint8Array, bytes: WireBytes): string {
  let text: string;
  try {
    text = new TextDecoder(bytes, { fatal: true }).decode(content);
  } catch (error) {
    throw new CharsetError(`holds bytes that are not ${bytes}`, error);
  }
  if (SPOILT.test(text)) throw new CharsetError('holds characters that were lost on the way');
  return text;
}

/** Throws CharsetError for a character that the set has no bytes for: written as `?` it would ask about somebody else. */
export function encodeStrictly(text: string, bytes: WireBytes): Buffer {
  const content = iconv.encode(text, bytes);
  if (iconv.decode(content, bytes) !== text)
    throw new CharsetError(`holds a character that ${bytes} cannot write`);
  return content;
}
