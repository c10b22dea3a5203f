/**
 * How often a request waits for Redis when everything that it needs lies there and nowhere else: a proxy on the way counts the
 * times that a question follows an answer, however many commands the question holds.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { startContestant } from './contestants.ts';
import { createLoad } from './load.ts';
import type { Surroundings } from './run.ts';
import { onStage } from './run.ts';
import type { Work } from './works.ts';

const PASSES = 6;

/** Round trips per level of entities, one request after the other; null when no pass found all entities in Redis. */
export async function countRoundTrips(work: Work, surroundings: Surroundings): Promise<number | null> {
  if (surroundings.redisUrl === null) throw new Error('there is no Redis');
  const proxy = await startCountingProxy(surroundings.redisUrl);
  try {
    return await onStage(work, { ...surroundings, redisUrl: proxy.url }, async (stage) => {
      const contestant = await startContestant('jinxinRedis', stage);
      const load = createLoad(contestant);
      try {
        // A Redis that was slow for once is left alone for a while: a pass counts when it asked nobody else.
        for (let pass = 0; pass < PASSES; pass++) {
          const { representations } = await stage.subgraphs.counts();
          const before = proxy.roundTrips();
          for (const body of work.bodies) await load.ask(body);
          const roundTrips = proxy.roundTrips() - before;
          if ((await stage.subgraphs.counts()).representations === representations)
            return roundTrips / work.bodies.length / work.entityLevels;
        }
        return null;
      } finally {
        await load.close();
        await contestant.process.stop();
      }
    });
  } finally {
    await proxy.close();
  }
}

/** Reads only: the counters of rates, which share the server, are not the cache's. */
const READ = /\$\d+\r\nm?get\r\n/i;

async function startCountingProxy(redisUrl: string) {
  const target = new URL(redisUrl);
  let roundTrips = 0;
  const server = createServer((client) => {
    const redis = connect(Number(target.port), target.hostname);
    let isAnswered = true;
    client.on('data', (chunk) => {
      if (isAnswered && READ.test(chunk.toString('latin1'))) {
        roundTrips++;
        isAnswered = false;
      }
      redis.write(chunk);
    });
    redis.on('data', (chunk) => {
      isAnswered = true;
      client.write(chunk);
    });
    for (const [one, other] of [
      [client, redis],
      [redis, client],
    ] as const)
      one.on('close', () => other.destroy()).on('error', () => other.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(redisUrl);
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    roundTrips: () => roundTrips,
    close: () => new Promise((closed) => server.close(closed)),
  };
}
