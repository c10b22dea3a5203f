/**
 * A key-value store on Redis that may be missing at any moment: what cannot be read is a miss, what cannot be written is not
 * written. Values are sealed (seal.ts): what does not open is a miss as well.
 *
 * What is asked for in one turn of the loop shares a round trip: one MGET of a single Redis; of a cluster, whose keys lie in
 * many slots, one pipeline of GETs for each node.
 */
import { randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { Cluster } from 'ioredis';
import type { Logger } from 'pino';
import { openRedis } from './circuit.ts';
import type { RedisClient } from './connection.ts';
import { createSeal } from './seal.ts';

export interface RedisStore {
  /** Same length and order as `keys`; null for a miss. Never rejects. */
  getMany(keys: readonly string[]): Promise<readonly (string | null)[]>;
  /** `until`: milliseconds since the epoch. Never rejects. */
  setMany(entries: readonly { key: string; value: string; until: number }[]): Promise<void>;
  close(): Promise<void>;
}

const PREFIX = 'jinxin:e:';
/** Nothing larger is written, and nothing larger is opened: a value of that size is slower to get than to ask for again. */
const MOST_BYTES = 1024 * 1024;
/** Redis answers nobody else while it answers one command. */
const MOST_KEYS = 500;

/** `sealingKey`: any private key of the platform's; the sealing keys are derived from it. */
export function createRedisStore(options: {
  url: string;
  sealingKey: KeyObject | null;
  log: Logger;
  now?: () => number;
}): RedisStore {
  const now = options.now ?? Date.now;
  const seal = createSeal(options.sealingKey?.export({ type: 'pkcs8', format: 'der' }) ?? randomBytes(32));
  const circuit = openRedis({
    url: options.url,
    purpose: 'each gateway goes on with what it holds itself',
    log: options.log,
  });
  let turn: { readonly names: string[]; readonly values: Promise<readonly (Buffer | null)[]> } | null = null;

  /** Those who ask in the same turn of the loop ask together. */
  function askTogether(names: readonly string[]) {
    turn ??= beginTurn();
    const from = turn.names.length;
    for (const name of names) turn.names.push(name);
    return { from, values: turn.values };
  }

  function beginTurn() {
    const names: string[] = [];
    const values = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      turn = null;
      return circuit.attempt((client) => readAll(client, names), []);
    });
    return { names, values };
  }

  return {
    async getMany(keys) {
      if (circuit.isOpen()) return keys.map(() => null);
      const asked = askTogether(keys.map((key) => PREFIX + key));
      const values = await asked.values;
      const time = now();
      return keys.map((key, at) => {
        const value = values[asked.from + at];
        return value && value.length <= MOST_BYTES ? seal.open(key, value, time) : null;
      });
    },
    async setMany(entries) {
      if (circuit.isOpen()) return;
      const time = now();
      const sealed = entries.flatMap(({ key, value, until }) => {
        const bytes = until > time ? seal.seal(key, value, until) : null;
        return bytes && bytes.length <= MOST_BYTES ? [{ name: PREFIX + key, bytes, ms: until - time }] : [];
      });
      if (sealed.length === 0) return;
      await circuit.attempt((client) => writeAll(client, sealed), null);
    },
    close: () => circuit.close(),
  };
}

async function readAll(client: RedisClient, names: readonly string[]): Promise<readonly (Buffer | null)[]> {
  if (client instanceof Cluster) return Promise.all(names.map((name) => readOne(client, name)));
  const parts: Promise<readonly (Buffer | null)[]>[] = [];
  for (let from = 0; from < names.length; from += MOST_KEYS)
    parts.push(client.mgetBuffer(names.slice(from, from + MOST_KEYS)));
  return (await Promise.all(parts)).flat();
}

/** MGET says nothing of a value that is no string, GET an error: it is a miss in both. */
async function readOne(client: RedisClient, name: string): Promise<Buffer | null> {
  try {
    return await client.getBuffer(name);
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('WRONGTYPE')) return null;
    throw error;
  }
}

async function writeAll(
  client: RedisClient,
  entries: readonly { readonly name: string; readonly bytes: Buffer; readonly ms: number }[],
): Promise<void> {
  if (client instanceof Cluster) {
    await Promise.all(entries.map(({ name, bytes, ms }) => client.set(name, bytes, 'PX', Math.ceil(ms))));
    return;
  }
  const pipeline = client.pipeline();
  for (const { name, bytes, ms } of entries) pipeline.set(name, bytes, 'PX', Math.ceil(ms));
  // A pipeline resolves with an error per command instead of rejecting.
  for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error;
}
