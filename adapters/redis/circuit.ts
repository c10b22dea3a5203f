/**
 * Redis is optional at every moment: what fails once costs one bounded wait, and from then on nothing is asked of it until a
 * probe, made beside the requests, has been answered. A Redis that cannot be written is away as well: full, read-only after a
 * failover, or loading, it is in no state to be relied on.
 */
import { Cluster } from 'ioredis';
import type { Logger } from 'pino';
import type { RedisClient } from './connection.ts';
import { connectRedis } from './connection.ts';

export interface RedisCircuit {
  readonly client: RedisClient;
  /** While it is, nothing is asked of Redis. */
  isOpen(): boolean;
  /** What `work` resolves with; `otherwise` while Redis is left alone, and when it fails or takes longer than one wait. Never rejects. */
  attempt<T, U>(work: (client: RedisClient) => Promise<T>, otherwise: U): Promise<T | U>;
  close(): Promise<void>;
}

/** Most that one command costs whoever asks. */
const WAIT_MS = 50;
const PROBE_MS = 200;
/**
 * After so many probes in a row that failed on a connection that looks alive it is made anew: the other end may be gone without
 * a word, or be a primary no more, and the address lead to the new one.
 */
const PROBES_BEFORE_RECONNECT = 3;
const PROBE_KEY = 'jinxin:probe';

/** `purpose` ends the sentence "Redis cannot be used; …" in the log. Never waits for Redis. */
export function openRedis({
  url,
  purpose,
  log,
}: {
  readonly url: string;
  readonly purpose: string;
  readonly log: Logger;
}): RedisCircuit {
  const client = connectRedis(url);
  // Open until the first probe was answered: a connection that is being made answers nobody.
  let isOpen = true;
  let isTold = false;
  let isClosed = false;
  let isProbing = false;
  let unanswered = 0;
  let timer: NodeJS.Timeout | undefined;

  client.on('error', fail);
  client.on('close', () => fail(new Error('the connection to Redis was lost')));
  client.on('ready', () => void probe());
  schedule();

  function fail(error: unknown): void {
    if (isClosed) return;
    isOpen = true;
    if (!isTold) log.warn({ err: error }, `Redis cannot be used; ${purpose}`);
    isTold = true;
    schedule();
  }

  function schedule(): void {
    if (timer !== undefined || isClosed) return;
    timer = setTimeout(() => {
      timer = undefined;
      void probe();
    }, PROBE_MS);
    timer.unref();
  }

  async function probe(): Promise<void> {
    if (isProbing || isClosed) return;
    isProbing = true;
    try {
      await within(WAIT_MS, ask(client));
      unanswered = 0;
      isOpen = false;
      if (isTold) log.info('Redis is back');
      isTold = false;
    } catch (error) {
      fail(error);
      unanswered += 1;
      if (unanswered % PROBES_BEFORE_RECONNECT === 0 && client.status === 'ready') client.disconnect(true);
    } finally {
      isProbing = false;
    }
  }

  return {
    client,
    isOpen: () => isOpen,
    async attempt(work, otherwise) {
      if (isOpen) return otherwise;
      try {
        return await within(WAIT_MS, work(client));
      } catch (error) {
        fail(error);
        return otherwise;
      }
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
      client.disconnect();
      return Promise.resolve();
    },
  };
}

/** Of a cluster every primary, so that the one that is missing is not found by the requests, once for each probe. */
async function ask(client: RedisClient): Promise<void> {
  if (client instanceof Cluster) await Promise.all(client.nodes('master').map((node) => node.ping()));
  await client.set(PROBE_KEY, '1', 'PX', 1_000);
}

/** Rejects when `work` has not ended in time. An answer that lay in the socket while this process was busy has come in time. */
function within<T>(ms: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      // Timers run before what has arrived is read; this runs after it.
      setImmediate(() => reject(new Error(`Redis did not answer within ${ms} ms`)));
    }, ms);
    work.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error instanceof Error ? error : new Error(String(error)));
      },
    );
  });
}
