/** Other people's Federation routers before our subgraphs. They know nothing of policies, principals or purposes. */
import { ApolloGateway, RemoteGraphQLDataSource } from '@apollo/gateway';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, validate } from 'graphql';
import { request } from 'undici';
import { freePort } from '../../../adapters/postgres/free-port.ts';
import { installPeers } from '../../peers.ts';

export interface Router {
  ask(query: string, variables: Readonly<Record<string, unknown>>): Promise<unknown>;
  close(): Promise<void>;
}

/** Hive Gateway in a process of its own; installed when it is not there. */
export async function startHiveRouter(supergraph: string, print: (line: string) => void): Promise<Router> {
  const hive = join(await installPeers(print), 'node_modules/@graphql-hive/gateway/dist/bin.js');
  const folder = await mkdtemp(join(tmpdir(), 'jinxin-hive-'));
  const file = join(folder, 'supergraph.graphql');
  await writeFile(file, supergraph);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/graphql`;
  const start = () =>
    spawn(
      process.execPath,
      [hive, 'supergraph', file, '--host', '127.0.0.1', '--port', String(port), '--fork', '1'],
      { cwd: folder, stdio: ['ignore', 'ignore', 'ignore'] },
    );
  let router = start();
  let isClosed = false;
  /** One start at a time, however many questions find it gone. */
  let restarting: Promise<void> | null = null;

  async function send(query: string, variables: Readonly<Record<string, unknown>>): Promise<unknown> {
    const response = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
      // A connection each: one that the router closes between two questions is no answer of it.
      reset: true,
    });
    return response.body.json();
  }

  async function untilUp(): Promise<void> {
    for (const until = Date.now() + 60_000; ;) {
      const isUp = await send('{ __typename }', {}).then(
        () => true,
        () => false,
      );
      if (isUp) return;
      if (Date.now() > until) throw new Error('Hive Gateway did not come up');
      if (router.exitCode !== null && !isClosed) router = start();
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  /**
   * It ends itself on some answers of ours (a null where it wants an object, 2.15.1): then it is started anew, and what was in
   * flight is asked once more, each question alone, so that one question cannot take the others' answers with it.
   */
  async function ask(query: string, variables: Readonly<Record<string, unknown>>): Promise<unknown> {
    for (let attempt = 0; ; attempt++) {
      try {
        await restarting;
        return await (attempt === 0 ? send(query, variables) : alone(() => send(query, variables)));
      } catch (error) {
        if (attempt === 2) return { errors: [{ message: `the router is gone: ${String(error)}` }] };
        restarting ??= untilUp().finally(() => (restarting = null));
        await restarting;
      }
    }
  }
  let queue: Promise<unknown> = Promise.resolve();
  function alone<T>(work: () => Promise<T>): Promise<T> {
    const turn = queue.then(async () => {
      await restarting;
      return work();
    });
    queue = turn.catch(() => undefined);
    return turn;
  }

  async function close(): Promise<void> {
    isClosed = true;
    if (router.exitCode === null) {
      router.kill();
      await once(router, 'exit');
    }
    await rm(folder, { recursive: true, force: true });
  }
  try {
    await untilUp();
    return { ask, close };
  } catch (error) {
    await close();
    throw error;
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
