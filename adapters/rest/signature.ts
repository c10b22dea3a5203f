/** How a request is signed: HMAC-SM3 (GB/T 32905) over what must not be changed or sent twice. */
import { createHash, createHmac } from 'node:crypto';

export interface SignedParts {
  readonly method: string;
  /** As it stands in the request line, with its query. */
  readonly path: string;
  readonly appKey: string;
  /** Milliseconds since the epoch; the system accepts five minutes to either side. */
  readonly timestamp: string;
  /** Used once; the system refuses it the second time. */
  readonly nonce: string;
  readonly body: string;
}

/** 64 hex digits. The parts stand on lines of their own, the body by its SM3 digest. */
export function signRequest(
  secret: string,
  { method, path, appKey, timestamp, nonce, body }: SignedParts,
): string {
  const digest = createHash('sm3').update(body, 'utf8').digest('hex');
  return createHmac('sm3', secret)
    .update([method, path, appKey, timestamp, nonce, digest].join('\n'), 'utf8')
    .digest('hex');
}
