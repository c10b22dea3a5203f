/** The platform with two gateways on one PostgreSQL and one Redis: one in this process, one in its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pino } from 'pino';
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
    const shared = { REDIS_URL: redis.href, JINXIN_REQUESTS_PER_SECOND: '100000' };
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

/** `npm run gateway` without npm: resolves when it says that it is ready. */
async function startProcess(
  environment: Readonly<Record<string, string>>,
): Promise<{ url: string; close(): Promise<void> }> {
  const supergraph = join(ROOT, 'schema/supergraph.graphql');
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', join(ROOT, 'gateway/main.ts'), '--supergraph', supergraph, '--listen', '127.0.0.1:0'],
    { cwd: ROOT, env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const exited = once(child, 'exit');
  const close = async () => {
    child.kill('SIGTERM');
    await exited;
  };
  const said: string[] = [];
  const lines = createInterface({ input: child.stdout });
  for await (const line of lines) {
    const [, url] = /gateway ready: (http:[^"]+)/.exec(line) ?? [];
    if (url !== undefined) {
      // What it says later nobody reads: without a reader it would stop when the pipe is full.
      child.stdout.resume();
      return { url, close };
    }
    said.push(line);
  }
  throw new Error(`the second gateway did not start:\n${said.slice(-5).join('\n')}`);
}
