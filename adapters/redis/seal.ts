/**
 * Values that lie where others may write: sealed with AES-256-GCM over their name, the version of this format and the
 * moment of their expiry. What was changed, cut, moved under another name, written by somebody else or by another version,
 * or brought back after its time does not open.
 *
 * A key of AES-GCM with random nonces is good for 2³² values. Keys are derived for each hour in which values expire, so that
 * no number of processes comes near it.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

export interface Seal {
  /** `until`: milliseconds since the epoch. */
  seal(name: string, value: string, until: number): Buffer;
  /** Null for whatever is not a value of this name and of ours, or is past its time at `now`. */
  open(name: string, sealed: Buffer, now: number): string | null;
}

/** Changed whenever what is sealed is written in another way: values of both versions may lie side by side. */
const VERSION = 2;
const CIPHER = 'aes-256-gcm';
/** Version, expiry, nonce. */
const HEAD = 1 + 6;
const NONCE = 12;
const TAG = 16;
const HOUR_MS = 3_600_000;
const MOST_KEYS = 100;

export function createSeal(secret: Uint8Array): Seal {
  const keys = new Map<number, Buffer>();

  function keyFor(until: number): Buffer {
    const hour = Math.floor(until / HOUR_MS);
    const known = keys.get(hour);
    if (known) return known;
    const key = Buffer.from(hkdfSync('sha256', secret, '', `jinxin cache ${VERSION} ${hour}`, 32));
    if (keys.size >= MOST_KEYS) keys.clear();
    keys.set(hour, key);
    return key;
  }

  return {
    seal(name, value, until) {
      const head = Buffer.alloc(HEAD);
      head.writeUInt8(VERSION, 0);
      head.writeUIntBE(until, 1, 6);
      const nonce = randomBytes(NONCE);
      const cipher = createCipheriv(CIPHER, keyFor(until), nonce).setAAD(toBound(head, name));
      return Buffer.concat([head, nonce, cipher.update(value, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    },
    open(name, sealed, now) {
      if (sealed.length < HEAD + NONCE + TAG || sealed.readUInt8(0) !== VERSION) return null;
      const until = sealed.readUIntBE(1, 6);
      if (until <= now) return null;
      try {
        const nonce = sealed.subarray(HEAD, HEAD + NONCE);
        const decipher = createDecipheriv(CIPHER, keyFor(until), nonce, { authTagLength: TAG });
        decipher.setAAD(toBound(sealed.subarray(0, HEAD), name)).setAuthTag(sealed.subarray(-TAG));
        const text = decipher.update(sealed.subarray(HEAD + NONCE, -TAG));
        return Buffer.concat([text, decipher.final()]).toString('utf8');
      } catch {
        return null;
      }
    },
  };
}

/** The head has one length: what is bound can be read in one way only. */
function toBound(head: Buffer, name: string): Buffer {
  return Buffer.concat([head, Buffer.from(name, 'utf8')]);
}
