/** A connection to a Redis that may be missing at any moment. */
import { Redis } from 'ioredis';

const TIMEOUT_MS = 50;

/** The driver's defaults queue for ever on a dead server; this one gives up at once, see docs/decisions. */
export function connectRedis(url: string): Redis {
  return new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: TIMEOUT_MS,
    connectTimeout: 500,
    autoResendUnfulfilledCommands: false,
    retryStrategy: (attempt) => Math.min(500, attempt * 50),
  });
}
