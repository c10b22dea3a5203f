/** Requests a second per consumer; the public is told apart by address. In this process only. */
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { createError } from '../../schema/errors.ts';

export type TakeRate = (consumer: string) => Promise<void>;

/** The function rejects with RATE_LIMITED; `extensions.retryAfter` is in seconds. */
export function createRates(perSecond: number): TakeRate {
  const limiter = new RateLimiterMemory({ points: perSecond, duration: 1 });
  return async (consumer) => {
    try {
      await limiter.consume(consumer);
    } catch (refusal) {
      if (!(refusal instanceof RateLimiterRes)) throw refusal;
      throw createError('RATE_LIMITED', {
        extensions: { retryAfter: Math.ceil(refusal.msBeforeNext / 1000) },
      });
    }
  };
}
