/**
 * A key-value store on Redis that may be missing at any moment. What cannot be read is a miss, what cannot be written is
 * not written, and after a failure Redis is left alone for a second, so that a dead one costs one timeout and not one each.
 *
 * Values are sealed (AES-256-GCM, bound to their key): what somebody else wrote, or moved under another key, does not open
 * and is a miss.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { Logger } from 'pino';
import { connectRedis } from './connection.ts';

export interface RedisStore {
  /** Same length and order as `keys`; null for a miss. Never rejects. */
  getMany(keys: readonly string[]): Promise<readonly (string | null)[]>;
  setMany(entries: readonly { key: string; value: string; seconds: number }[]): Promise<void>;
  close(): Promise<void>;
}

const REST_MS = 1_000;
const PREFIX = 'jinxin:e:';

/** `sealingKey`: any private key of the platform's; the sealing key is derived from it. */
export function createRedisStore(options: {
  url: string;
  sealingKey: KeyObject | null;
  log: Logger;
}): RedisStore {
  const secret = options.sealingKey?.export({ type: 'pkcs8', format: 'der' }) ?? randomBytes(32);
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'jinxin entity cache', 32));
  const redis = connectRedis(options.url);
  let restUntil = 0;
  let isDown = false;
  redis.on('error', (error: unknown) => note(error));
  redis.on('ready', () => {
    restUntil = 0;
    if (isDown) options.log.info('Redis is back');
    isDown = false;
  });

  function note(error: unknown): void {
    restUntil = performance.now() + REST_MS;
    if (!isDown) options.log.warn({ err: error }, 'Redis cannot be used; the gateway goes on without it');
    isDown = true;
  }

  async function unlessDown<T>(work: () => Promise<T>, otherwise: T): Promise<T> {
    if (performance.now() < restUntil) return otherwise;
    try {
      return await work();
    } catch (error) {
      note(error);
      return otherwise;
    }
  }

  return {
    getMany: (keys) =>
      unlessDown(
        async () => {
          const values = await redis.mgetBuffer(keys.map((name) => PREFIX + name));
          return values.map((value, at) => (value === null ? null : unseal(key, keys[at] ?? '', value)));
        },
        keys.map(() => null),
      ),
    setMany: (entries) =>
      unlessDown(async () => {
        const pipeline = redis.pipeline();
        for (const { key: name, value, seconds } of entries)
          pipeline.set(PREFIX + name, seal(key, name, value), 'EX', Math.max(1, Math.floor(seconds)));
        // A pipeline resolves with an error per command instead of rejecting.
        for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error;
      }, undefined),
    close() {
      redis.disconnect();
      return Promise.resolve();
    },
  };
}

function seal(key: Buffer, name: string, value: string): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(name));
  return Buffer.concat([nonce, cipher.update(value, 'utf8'), cipher.final(), cipher.getAuthTag()]);
}

function unseal(key: Buffer, name: string, sealed: Buffer): string | null {
  if (sealed.length < 28) return null;
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12)).setAAD(Buffer.from(name));
    decipher.setAuthTag(sealed.subarray(-16));
    return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]).toString('utf8');
  } catch {
    // Written under another key, or by somebody else: a miss.
    return null;
  }
}
