/** The platform with two gateways on one PostgreSQL and one Redis: one in this process, one in its own. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { request } from 'undici';
import { freePort } from '../../../adapters/postgres/free-port.ts';
import { startGuarded } from '../../../adapters/postgres/guarded-process.ts';
import { startSandbox } from '../../../scripts/sandbox.ts';
import { ensureServices } from '../../../scripts/services/ensure.ts';
import { createTestDatabases } from '../../../tests/kit/postgres.ts';

export interface Gateways {
  readonly urls: readonly [string, string];
  readonly codes: readonly string[];
  /** Token of a bank with a standing consent. */
  readonly observer: string;
  close(): Promise<void>;
}

const ROOT = join(import.meta.dirname, '../../..');

export async function openGateways({
  companies,
  print,
}: {
  companies: number;
  print: (line: string) => void;
}): Promise<Gateways> {
  const closers: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const one of closers.splice(0).reverse()) await one();
  };
  try {
    const services = await ensureServices({
      environment: process.env,
      isRoot: process.getuid?.() === 0,
      say: print,
    });
    closers.push(() => services.stop());
    // The databases of a test are made on the server that the environment names.
    process.env['JINXIN_TEST_POSTGRES_URL'] = services.environment['JINXIN_TEST_POSTGRES_URL'];
    const databases = createTestDatabases();
    closers.push(() => databases.close());
    const redis = new URL(services.environment['JINXIN_TEST_REDIS_URL'] ?? '');
    // A Redis database of its own: what other tests put into theirs must not answer here.
    redis.pathname = '/7';
    // Long limits: on a busy machine a consent that was given, and not known to be, would look like one that was never ended.
    const shared = {
      REDIS_URL: redis.href,
      JINXIN_REQUESTS_PER_SECOND: '100000',
      JINXIN_REQUEST_DEADLINE_MS: '60000',
      JINXIN_SOFT_DEADLINE_MS: '30000',
      JINXIN_CONSENT_DEADLINE_MS: '30000',
    };
    const sandbox = await startSandbox({
      port: 0,
      scale: companies,
      seed: 'revocations',
      faultRate: 0,
      latencyMs: 0,
      log: pino({ level: 'silent' }),
      postgres: (name) => databases.url(name),
      environment: shared,
    });
    closers.push(() => sandbox.close());
    const second = await startProcess({
      ...shared,
      JINXIN_PLATFORM_URL: await databases.url('platform'),
      JINXIN_SUBGRAPHS_URL: new URL(sandbox.subgraphUrls['tax'] ?? '').origin,
      JINXIN_ISSUER: 'sandbox',
      JINXIN_SIGN: 'true',
      JINXIN_CATALOGUE: join(ROOT, 'schema/catalogue.json'),
    });
    closers.push(second.close);
    return {
      urls: [sandbox.url, second.url],
      codes: sandbox.population.map(({ code }) => code),
      observer: await sandbox.token('bank-a'),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** `npm run gateway` without npm, on a port of its own; it ends when this process does, however that ends. */
async function startProcess(
  environment: Readonly<Record<string, string>>,
): Promise<{ url: string; close(): Promise<void> }> {
  const origin = `http://127.0.0.1:${await freePort()}`;
  const supergraph = join(ROOT, 'schema/supergraph.graphql');
  const server = startGuarded({
    command: process.execPath,
    args: [
      ...['--import', 'tsx', join(ROOT, 'gateway/main.ts')],
      ...['--supergraph', supergraph, '--listen', origin.slice('http://'.length)],
    ],
    home: ROOT,
    stopSignal: 'TERM',
    env: environment,
  });
  const isReady = () =>
    request(`${origin}/health/ready`).then(
      async ({ statusCode, body }) => (await body.dump(), statusCode === 200),
      () => false,
    );
  const until = performance.now() + 60_000;
  try {
    while (!(await Promise.race([isReady(), server.exited]))) {
      if (performance.now() > until) throw new Error('the second gateway did not come up within a minute');
      await delay(100);
    }
  } catch (error) {
    await server.stop();
    throw error;
  }
  return { url: `${origin}/graphql`, close: () => server.stop() };
}
