/** Real Redis servers of a test's own, single and as a cluster, that can be frozen, killed and started again. */
import { Redis } from 'ioredis';
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../adapters/postgres/free-port.ts';

export interface TestRedis {
  readonly port: number;
  readonly url: string;
  /** A client of the test's own, that waits for the server. */
  readonly raw: Redis;
  freeze(): void;
  thaw(): void;
  kill(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

/** Answers when it is there. `port`: where; left out, a free one. */
export async function startTestRedis(
  options: { readonly port?: number; readonly args?: readonly string[] } = {},
): Promise<TestRedis> {
  const port = options.port ?? (await freePort());
  const folder = await mkdtemp(join(tmpdir(), 'jinxin-test-redis-'));
  const url = `redis://127.0.0.1:${port}`;
  const raw = new Redis(url, { lazyConnect: true, retryStrategy: () => 20, maxRetriesPerRequest: null });
  raw.on('error', () => {});
  let server: ChildProcess | null = null;

  async function start(): Promise<void> {
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
    server = spawn(
      process.env['JINXIN_TEST_REDIS_SERVER'] ?? 'redis-server',
      [...args, '--enable-debug-command', 'yes', ...(options.args ?? [])],
      { stdio: 'ignore' },
    );
    await raw.ping();
  }
  async function kill(): Promise<void> {
    const ending = server;
    server = null;
    if (!ending || ending.exitCode !== null || ending.signalCode !== null) return;
    ending.kill('SIGKILL');
    await once(ending, 'exit');
  }

  await start();
  return {
    port,
    url,
    raw,
    freeze: () => server?.kill('SIGSTOP'),
    thaw: () => server?.kill('SIGCONT'),
    kill,
    start,
    async close() {
      raw.disconnect();
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export interface TestCluster {
  /** All nodes, as the product is told of them. */
  readonly url: string;
  readonly nodes: readonly TestRedis[];
  /** Resolves when every node says that all is well. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

const SLOTS = 16_384;

/** Three primaries that share the slots; answers when each of them knows all slots. */
export async function startTestCluster(): Promise<TestCluster> {
  const args = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000'];
  const nodes = await Promise.all([1, 2, 3].map(() => startTestRedis({ args })));
  const share = Math.ceil(SLOTS / nodes.length);
  await Promise.all(
    nodes.map(async ({ raw }, at) => {
      const last = Math.min(SLOTS, (at + 1) * share) - 1;
      await raw.cluster('ADDSLOTSRANGE', at * share, last);
      // Another epoch for each, which they would otherwise have to agree on first.
      await raw.cluster('SET-CONFIG-EPOCH', at + 1);
    }),
  );
  const [first] = nodes as [TestRedis];
  for (const { port } of nodes.slice(1)) await first.raw.cluster('MEET', '127.0.0.1', port);
  const settle = async () => {
    await until('the cluster to agree', async () => {
      const said = await Promise.all(nodes.map(({ raw }) => raw.cluster('INFO')));
      return said.every(
        (text) => text.includes('cluster_state:ok') && text.includes('cluster_known_nodes:3'),
      );
    });
  };
  await settle();
  return {
    settle,
    url: nodes.map(({ url }) => url).join(','),
    nodes,
    close: async () => void (await Promise.all(nodes.map((node) => node.close()))),
  };
}

/** Asks again and again, at most for `ms`; tells how long it took. */
export async function until(what: string, isTrue: () => Promise<boolean>, ms = 10_000): Promise<number> {
  const from = performance.now();
  while (performance.now() - from < ms) {
    if (await isTrue()) return performance.now() - from;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`waited ${ms} ms for ${what}`);
}
