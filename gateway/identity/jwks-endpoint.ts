/** The issuer's JWKS endpoint over HTTP: one bounded GET. */
import { Agent, request } from 'undici';

const TIMEOUT_MS = 3_000;
const MOST_BYTES = 256 * 1024;

/** Rejects when the endpoint is down, slow, moved, compressed, longer than the cap or no JSON. */
export async function fetchJwks(url: string, timeoutMs = TIMEOUT_MS): Promise<unknown> {
  // A connection of its own: once a minute there is nothing to keep alive, and nothing of the last one can be left in it.
  const dispatcher = new Agent({ maxResponseSize: MOST_BYTES, pipelining: 0 });
  try {
    const { statusCode, headers, body } = await request(url, {
      dispatcher,
      headers: { accept: 'application/jwk-set+json, application/json' },
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (statusCode !== 200) throw new Error(`the JWKS endpoint answered ${statusCode}`);
    if (headers['content-encoding'] !== undefined)
      throw new Error('the JWKS endpoint answered compressed, which was not asked for');
    return await body.json();
  } finally {
    await dispatcher.destroy();
  }
}
