/** A connection to a Redis that may be missing at any moment. */
import { Cluster, Redis } from 'ioredis';
import type { RedisOptions } from 'ioredis';

export type RedisClient = Redis | Cluster;

const RETRY_MS = 500;
/** Drops what waits for a dead server. Callers wait less, see circuit.ts. */
const COMMAND_MS = 250;

/** The driver's defaults queue for ever on a dead server; this one gives up at once, see docs/decisions. */
const OPTIONS: RedisOptions = {
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  commandTimeout: COMMAND_MS,
  connectTimeout: RETRY_MS,
  autoResendUnfulfilledCommands: false,
  // While it loads its data it says for how long; by default the driver believes it for up to ten seconds.
  maxLoadingRetryTime: RETRY_MS,
  retryStrategy: (attempt) => Math.min(RETRY_MS, attempt * 50),
};

/**
 * `url`: redis:// or rediss:// with user and password. Several, separated by commas, are nodes of one Redis Cluster; user,
 * password and TLS are the first one's.
 */
export function connectRedis(url: string): RedisClient {
  const nodes = url.split(',').map((one) => new URL(one.trim()));
  const [first] = nodes;
  if (!first || nodes.length === 1) return new Redis(url, OPTIONS);
  return new Cluster(
    nodes.map(({ hostname, port }) => ({ host: hostname, port: Number(port || 6379) })),
    {
      enableOfflineQueue: false,
      // What is asked in one turn of the loop goes to each node as one pipeline: MGET over several slots is refused.
      enableAutoPipelining: true,
      clusterRetryStrategy: (attempt) => Math.min(RETRY_MS, attempt * 50),
      slotsRefreshTimeout: RETRY_MS,
      slotsRefreshInterval: 2_000,
      maxRedirections: 3,
      redisOptions: {
        ...OPTIONS,
        ...(first.username ? { username: decodeURIComponent(first.username) } : {}),
        ...(first.password ? { password: decodeURIComponent(first.password) } : {}),
        ...(first.protocol === 'rediss:' ? { tls: {} } : {}),
      },
    },
  );
}
