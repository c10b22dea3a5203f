/**
 * What a sick Redis costs whoever asks the cache: for each fault, the slowest question of the first hundred, the slowest of
 * those after the first wait, and how long Redis is not found again after it was healed. Milliseconds, of a store on a real
 * Redis in this process; nobody is refused anything, whatever the fault.
 */
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { createRedisStore } from '../adapters/redis/store.ts';
import type { RedisStore } from '../adapters/redis/store.ts';
import { startTestCluster, startTestRedis, until } from '../tests/kit/redis.ts';
import type { TestRedis } from '../tests/kit/redis.ts';
import { round } from './quantile.ts';

interface Sick {
  readonly url: string;
  break(): unknown;
  heal(): unknown;
  close(): Promise<unknown>;
}

const QUESTIONS = 100;
const ENTITIES = 20;

async function single(use: (redis: TestRedis) => Pick<Sick, 'break' | 'heal'>): Promise<Sick> {
  const redis = await startTestRedis();
  return { url: redis.url, close: () => redis.close(), ...use(redis) };
}

async function ofCluster(
  use: (node: TestRedis, settle: () => Promise<void>) => Pick<Sick, 'break' | 'heal'>,
): Promise<Sick> {
  const cluster = await startTestCluster();
  return {
    url: cluster.url,
    close: () => cluster.close(),
    ...use(cluster.nodes[1] as TestRedis, cluster.settle),
  };
}

const FAULTS: Readonly<Record<string, () => Promise<Sick>>> = {
  'frozen (SIGSTOP)': () => single((redis) => ({ break: redis.freeze, heal: redis.thaw })),
  'killed (SIGKILL)': () => single((redis) => ({ break: redis.kill, heal: redis.start })),
  'out of memory': () =>
    single(({ raw }) => ({
      break: () => raw.config('SET', 'maxmemory', '1'),
      heal: () => raw.config('SET', 'maxmemory', '0'),
    })),
  'read-only replica': () =>
    single(({ raw }) => ({
      break: () => raw.replicaof('127.0.0.1', '1'),
      heal: () => raw.replicaof('NO', 'ONE'),
    })),
  'cluster node frozen': () => ofCluster((node) => ({ break: node.freeze, heal: node.thaw })),
  'cluster node killed': () =>
    ofCluster((node, settle) => ({ break: node.kill, heal: () => node.start().then(settle) })),
};

export default async function redisFaults(print: (line: string) => void) {
  const figures: Record<string, { first: number; then: number; found: number; failed: number }> = {};
  print(
    `${'fault'.padEnd(22)} ${'first ms'.padStart(9)} ${'then ms'.padStart(9)} ${'found ms'.padStart(9)} failed`,
  );
  for (const [name, make] of Object.entries(FAULTS)) {
    const sick = await make();
    const store = createRedisStore({
      url: sick.url,
      sealingKey: generateKeyPairSync('ed25519').privateKey,
      log: pino({ level: 'silent' }),
    });
    try {
      await until('Redis to be found', () => keeps(store));
      await sick.break();
      const { waits, failed } = await askAll(store);
      const [first = 0] = waits.toSorted((a, b) => b - a);
      await sick.heal();
      const found = await until('Redis to be found', () => keeps(store), 30_000);
      const then = Math.max(...waits.slice(waits.indexOf(first) + 1));
      figures[name] = { first: round(first), then: round(then), found: round(found), failed };
      print(
        `${name.padEnd(22)} ${first.toFixed(1).padStart(9)} ${then.toFixed(2).padStart(9)} ${found.toFixed(0).padStart(9)} ${failed}`,
      );
    } finally {
      await store.close();
      await sick.close();
    }
  }
  return { redisFaults: figures };
}

async function askAll(store: RedisStore): Promise<{ waits: number[]; failed: number }> {
  const waits: number[] = [];
  let failed = 0;
  for (let at = 0; at < QUESTIONS; at++) {
    const names = Array.from({ length: ENTITIES }, (_, entity) => `${at} ${entity}`);
    const from = performance.now();
    await store.getMany(names).catch(() => (failed += 1));
    waits.push(performance.now() - from);
    // A gateway does not wait for what it writes.
    void store.setMany(names.map((key) => ({ key, value: key, until: Date.now() + 60_000 })));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return { waits, failed };
}

async function keeps(store: RedisStore): Promise<boolean> {
  const key = randomUUID();
  await store.setMany([{ key, value: 'kept', until: Date.now() + 60_000 }]);
  return (await store.getMany([key]))[0] === 'kept';
}
