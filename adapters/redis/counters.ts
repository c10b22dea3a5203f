/**
 * Counts that all processes share, on a Redis that may be missing at any moment. Without it each process counts by itself:
 * a platform that answered nobody because it cannot count would be the worse fault. A dead Redis costs one timeout, once.
 */
import { createHmac, hkdfSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { Logger } from 'pino';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { openRedis } from './circuit.ts';

/** Takes `points` (1). Resolves with null when there was room, else with the milliseconds until there is again. Never rejects. */
export type Take = (key: string, points?: number) => Promise<number | null>;

export interface Counters {
  /** `points` in each window of `seconds`, which begins with a key's first; `name` tells counters apart, in all processes alike. */
  counter(name: string, points: number, seconds: number): Take;
  close(): Promise<void>;
}

/** Without `url` each process counts by itself. `secret`: any private key of the platform's; no key is readable in Redis. */
export function createCounters(options: {
  url: string | null;
  secret: KeyObject | null;
  log: Logger;
}): Counters {
  const circuit =
    options.url === null
      ? null
      : openRedis({
          url: options.url,
          purpose: 'each process counts rates by itself',
          log: options.log,
        });
  const secret = options.secret?.export({ type: 'pkcs8', format: 'der' }) ?? Buffer.from('jinxin');
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'jinxin counters', 32));

  return {
    counter(name, points, seconds) {
      const limits = { points, duration: seconds, keyPrefix: `jinxin:r:${name}` };
      const own = new RateLimiterMemory(limits);
      const shared = circuit && new RateLimiterRedis({ ...limits, storeClient: circuit.client });
      return async (counted, taken = 1) => {
        // A key may be made of somebody: what stands in Redis can be told from nothing but itself.
        const hidden = createHmac('sha256', key).update(counted).digest('base64url');
        if (circuit && shared) {
          const together = await circuit.attempt(() => take(shared, hidden, taken), UNKNOWN);
          if (together !== UNKNOWN) return together;
        }
        return take(own, hidden, taken);
      };
    },
    close: () => circuit?.close() ?? Promise.resolve(),
  };
}

const UNKNOWN = Symbol('not counted together');

async function take(
  limiter: RateLimiterMemory | RateLimiterRedis,
  key: string,
  points: number,
): Promise<number | null> {
  try {
    await limiter.consume(key, points);
    return null;
  } catch (refusal) {
    if (refusal instanceof RateLimiterRes) return refusal.msBeforeNext;
    throw refusal;
  }
}
