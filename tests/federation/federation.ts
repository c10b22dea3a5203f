/** A graph that runs: its subgraphs over HTTP, the gateway in front of them, and the oracle beside. */
import { composeServices } from '@apollo/composition';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { json } from 'node:stream/consumers';
import { request } from 'undici';
import type { TestGateway } from '../kit/gateway.ts';
import { startGateway } from '../kit/gateway.ts';
import { readFieldSets } from './field-sets.ts';
import type { Case, Graph } from './graph-file.ts';
import type { Oracle } from './oracle.ts';
import { createOracle } from './oracle.ts';
import type { Subgraph } from './subgraph-schema.ts';
import { createSubgraph } from './subgraph-schema.ts';
import type { World } from './world.ts';
import { createWorld } from './world.ts';

export interface SubgraphCall {
  readonly subgraph: string;
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** What a case may do to the subgraphs. */
export type Conditions = Pick<Case, 'replies' | 'down' | 'slow' | 'missing'>;

export interface Answer {
  readonly data?: unknown;
  readonly errors?: readonly AnswerError[];
}
export interface AnswerError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: { readonly code?: string };
}

export interface Federation {
  readonly oracle: Oracle;
  /** The gateway's answer, and what it asked the subgraphs for it. */
  ask(
    operation: Pick<Case, 'operation' | 'operationName' | 'variables'>,
    world?: World,
    conditions?: Conditions,
  ): Promise<{ readonly answer: Answer; readonly calls: readonly SubgraphCall[] }>;
  /** A world as the file tells it. */
  world(): World;
  close(): Promise<void>;
}

const UNTROUBLED: Conditions = { replies: {}, down: [], slow: [], missing: {} };
const LATE_MS = 50;

export async function startFederation(graph: Graph): Promise<Federation> {
  const subgraphs = Object.entries(graph.subgraphs).map(([name, sdl]) =>
    createSubgraph(name, sdl, graph.fields),
  );
  let turn = { world: createWorld(graph.data), conditions: UNTROUBLED, calls: [] as SubgraphCall[] };
  const server = await serve(subgraphs, () => turn);
  const { port } = server.address() as AddressInfo;
  const supergraph = compose(graph, subgraphs, `http://127.0.0.1:${port}`);
  const requires = new Map(subgraphs.flatMap(({ document }) => [...readFieldSets(document).requires]));
  const oracle = createOracle(supergraph, graph, requires);
  const gateway: TestGateway = await startGateway({
    supergraph,
    environment: { JINXIN_REQUESTS_PER_SECOND: '1000000' },
  });
  return {
    oracle,
    world: () => createWorld(graph.data),
    async ask(
      { operation, operationName, variables },
      world = createWorld(graph.data),
      conditions = UNTROUBLED,
    ) {
      turn = { world, conditions, calls: [] };
      const response = await request(gateway.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: operation, operationName, variables }),
      });
      return { answer: (await response.body.json()) as Answer, calls: turn.calls };
    },
    async close() {
      await gateway.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Turn {
  readonly world: World;
  readonly conditions: Conditions;
  readonly calls: SubgraphCall[];
}

/** All subgraphs on one port, each at the path of its name. */
async function serve(subgraphs: readonly Subgraph[], turnNow: () => Turn): Promise<Server> {
  const server = createServer((incoming, outgoing) => {
    const { world, conditions, calls } = turnNow();
    const subgraph = subgraphs.find(({ name }) => `/${name}` === incoming.url);
    if (!subgraph || conditions.down.includes(subgraph.name)) return void incoming.socket.destroy();
    const { name } = subgraph;
    const reply = conditions.replies[name];
    void json(incoming).then(async (body) => {
      const { query, variables = {} } = body as { query: string; variables?: Record<string, unknown> };
      calls.push({ subgraph: name, query, variables });
      const answer = reply
        ? 'text' in reply
          ? reply.text
          : JSON.stringify(reply.json)
        : JSON.stringify(
            await subgraph.answer(query, variables, { world, missing: conditions.missing[name] ?? [] }),
          );
      if (conditions.slow.includes(name)) await wait(LATE_MS);
      outgoing.writeHead(reply?.status ?? 200, { 'content-type': 'application/json' }).end(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

function compose(graph: Graph, subgraphs: readonly Subgraph[], address: string): string {
  const composed = composeServices(
    subgraphs.map(({ name, document }) => ({ name, url: `${address}/${name}`, typeDefs: document })),
  );
  if (composed.errors)
    throw new Error(
      `${graph.name}.yaml does not compose:\n${composed.errors.map(({ message }) => message).join('\n')}`,
    );
  return Object.entries(graph.supergraph).reduce((sdl, [text, other]) => {
    if (!sdl.includes(text)) throw new Error(`the supergraph of ${graph.name}.yaml has no ${text}`);
    return sdl.replaceAll(text, other);
  }, composed.supergraphSdl);
}
