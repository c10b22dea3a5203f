/** A graph that runs: its subgraphs over HTTP, the gateway in front of them, and the oracle beside. */
import { composeServices } from '@apollo/composition';
import { request } from 'undici';
import { startGateway } from '../kit/gateway.ts';
import { readFieldSets } from './field-sets.ts';
import type { Case, Graph } from './graph-file.ts';
import type { Oracle } from './oracle.ts';
import { createOracle } from './oracle.ts';
import { readParts } from './multipart.ts';
import type { Subgraph } from './subgraph-schema.ts';
import { createSubgraph } from './subgraph-schema.ts';
import type { Conditions, SubgraphCall, Turn } from './subgraph-server.ts';
import { serveSubgraphs } from './subgraph-server.ts';
import type { World } from './world.ts';
import { createWorld } from './world.ts';

export interface Answer {
  readonly data?: unknown;
  readonly errors?: readonly AnswerError[];
}
export interface AnswerError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: { readonly code?: string; readonly retryAfter?: number };
}

/** The first part is an answer; later ones bring more of it (the format of 2022-08-24). */
export interface AnswerPart extends Answer {
  readonly hasNext?: boolean;
  readonly incremental?: readonly (Answer & {
    readonly path: readonly (string | number)[];
    readonly label?: string;
  })[];
}

type Operation = Pick<Case, 'operation' | 'operationName' | 'variables'>;

export interface Federation {
  readonly oracle: Oracle;
  /** The gateway's answer, and what it asked the subgraphs for it. */
  ask(
    operation: Operation,
    world?: World,
    conditions?: Conditions,
  ): Promise<{ readonly answer: Answer; readonly calls: readonly SubgraphCall[] }>;
  /** The parts of an answer to @defer, as they come; what is held is released when the first is there. */
  askInParts(operation: Operation, world: World, conditions: Conditions): AsyncGenerator<AnswerPart>;
  /** A world as the file tells it. */
  world(): World;
  close(): Promise<void>;
}

/** What these operations cost is nobody's concern here. */
const UNLIMITED = {
  JINXIN_REQUESTS_PER_SECOND: '1000000',
  JINXIN_MOST_COST: '1000000000',
  JINXIN_MOST_VALUES: '1000000000',
};
const UNTROUBLED: Conditions = { replies: {}, down: [], slow: [], missing: {}, held: [] };
/** Where the subgraphs are, before they are served. */
const NOWHERE = 'http://subgraphs.invalid';

export async function startFederation(graph: Graph): Promise<Federation> {
  const subgraphs = Object.entries(graph.subgraphs).map(([name, sdl]) =>
    createSubgraph(name, sdl, graph.fields),
  );
  const supergraph = compose(graph, subgraphs);
  const requires = new Map(subgraphs.flatMap(({ document }) => [...readFieldSets(document).requires]));
  const oracle = createOracle(supergraph, graph, requires);
  let turn: Turn = {
    world: createWorld(graph.data),
    conditions: UNTROUBLED,
    calls: [],
    released: Promise.resolve(),
  };
  const server = await serveSubgraphs(subgraphs, () => turn);
  const gateway = await startGateway({
    supergraph: supergraph.replaceAll(NOWHERE, server.address),
    environment: UNLIMITED,
  }).catch(async (error: unknown) => {
    await server.close();
    throw error;
  });
  const post = ({ operation, operationName, variables }: Operation, accept: string) =>
    request(gateway.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept },
      body: JSON.stringify({ query: operation, operationName, variables }),
    });
  return {
    oracle,
    world: () => createWorld(graph.data),
    async ask(operation, world = createWorld(graph.data), conditions = UNTROUBLED) {
      turn = { world, conditions, calls: [], released: Promise.resolve() };
      const response = await post(operation, 'application/json');
      return { answer: (await response.body.json()) as Answer, calls: turn.calls };
    },
    async *askInParts(operation, world, conditions) {
      let release: () => void = () => undefined;
      const released = new Promise<void>((resolve) => (release = resolve));
      turn = { world, conditions, calls: [], released };
      const response = await post(operation, 'multipart/mixed;deferSpec=20220824, application/json');
      for await (const part of readParts(response)) {
        yield part as AnswerPart;
        release();
      }
    },
    async close() {
      await gateway.close();
      await server.close();
    },
  };
}

function compose(graph: Graph, subgraphs: readonly Subgraph[]): string {
  const composed = composeServices(
    subgraphs.map(({ name, document }) => ({ name, url: `${NOWHERE}/${name}`, typeDefs: document })),
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
