/** Other people's Federation routers before our subgraphs. They know nothing of policies, principals or purposes. */
import { ApolloGateway, RemoteGraphQLDataSource } from '@apollo/gateway';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, validate } from 'graphql';
import { request } from 'undici';
import { freePort } from '../../../adapters/postgres/free-port.ts';

export interface Router {
  ask(query: string, variables: Readonly<Record<string, unknown>>): Promise<unknown>;
  close(): Promise<void>;
}

/** A folder of its own: what lay in bench/node_modules would be taken by the bench's own imports for ours. */
const ROUTERS = join(import.meta.dirname, '../../routers');
const HIVE = join(ROUTERS, 'node_modules/@graphql-hive/gateway/dist/bin.js');

/** Hive Gateway in a process of its own; installed into bench/routers/ when it is not there. */
export async function startHiveRouter(supergraph: string, print: (line: string) => void): Promise<Router> {
  if (!existsSync(HIVE)) {
    print('  npm ci in bench/routers/, for Hive Gateway');
    const install = spawn('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: ROUTERS,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const [code] = (await once(install, 'exit')) as [number | null];
    if (code !== 0) throw new Error('Hive Gateway could not be installed (npm ci in bench/routers/)');
  }
  const folder = await mkdtemp(join(tmpdir(), 'jinxin-hive-'));
  const file = join(folder, 'supergraph.graphql');
  await writeFile(file, supergraph);
  const port = await freePort();
  const router = spawn(
    process.execPath,
    [HIVE, 'supergraph', file, '--host', '127.0.0.1', '--port', String(port), '--fork', '1'],
    { cwd: folder, stdio: ['ignore', 'ignore', 'ignore'] },
  );
  const url = `http://127.0.0.1:${port}/graphql`;
  async function ask(query: string, variables: Readonly<Record<string, unknown>>): Promise<unknown> {
    const response = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
      // A connection each: one that the router closes between two questions is no answer of it.
      reset: true,
    });
    return response.body.json();
  }
  async function close(): Promise<void> {
    if (router.exitCode === null) {
      router.kill();
      await once(router, 'exit');
    }
    await rm(folder, { recursive: true, force: true });
  }
  for (const until = Date.now() + 60_000; ;) {
    const isUp = await ask('{ __typename }', {}).then(
      () => true,
      () => false,
    );
    if (isUp) return { ask, close };
    if (router.exitCode !== null || Date.now() > until) {
      await close();
      throw new Error('Hive Gateway did not come up');
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** The stock gateway of Apollo in this process. It refuses a graph with security links, so these are taken for others. */
export async function startStockRouter(supergraph: string): Promise<Router> {
  process.env['APOLLO_TELEMETRY_DISABLED'] = '1';
  const gateway = new ApolloGateway({
    supergraphSdl: supergraph.replaceAll(/, for: SECURITY/g, ''),
    buildService: ({ url }) => new RemoteGraphQLDataSource({ url: url ?? '' }),
    logger: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
  });
  const { schema, executor } = await gateway.load();
  return {
    async ask(query, variables) {
      const document = parse(query);
      const problems = validate(schema, document);
      if (problems.length > 0) return { errors: problems };
      const operation = document.definitions.find(({ kind }) => kind === 'OperationDefinition');
      return executor({
        request: { query, variables },
        document,
        queryHash: query,
        operationName: null,
        operation,
        source: query,
        schema,
        context: {},
        metrics: {},
        overallCachePolicy: {},
      } as never);
    },
    close: () => gateway.stop(),
  };
}
