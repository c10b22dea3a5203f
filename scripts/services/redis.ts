import { randomBytes } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from '../../adapters/postgres/free-port.ts';
import { startGuarded } from '../../adapters/postgres/guarded-process.ts';
import type { Service } from './service.ts';
import { untilAnswers } from './service.ts';

/** Redis on a free loopback port, with a random password, keeping nothing on disk. */
export async function startRedis(binary: string): Promise<Service> {
  const home = await mkdtemp(join(tmpdir(), 'jinxin-redis-'));
  const port = await freePort();
  const password = randomBytes(18).toString('hex');
  const configuration = [
    'bind 127.0.0.1',
    `port ${port}`,
    `dir ${home}`,
    `requirepass ${password}`,
    'save ""',
    'appendonly no',
    'daemonize no',
  ];
  const file = join(home, 'redis.conf');
  await writeFile(file, `${configuration.join('\n')}\n`, { mode: 0o600 });
  const server = startGuarded({
    command: binary,
    args: [file],
    home,
    removeAfterwards: home,
    stopSignal: 'TERM',
    env: { LC_ALL: 'C.UTF-8' },
  });
  const url = `redis://:${password}@127.0.0.1:${port}`;
  await untilAnswers('redis-server', server, () => answers(url));
  return { url, stop: () => server.stop() };
}

async function answers(url: string): Promise<boolean> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
  client.on('error', () => {});
  try {
    await client.connect();
    return (await client.ping()) === 'PONG';
  } catch {
    // Not listening yet.
    return false;
  } finally {
    client.disconnect();
  }
}
