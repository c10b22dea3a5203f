/** Two supergraphs of one shape over subgraphs of their own: every part of an answer says of which graph it is. */
import { createHash } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';
import { request } from 'undici';
import type { TestGateway } from './gateway.ts';
import { startPlainSubgraphs } from './plain-subgraphs.ts';

export type GraphName = 'A' | 'B';

export interface TwoGraphs {
  readonly sdl: Readonly<Record<GraphName, string>>;
  close(): Promise<void>;
}

/** Asks two subgraphs one after the other, and the schema itself: a request that saw two graphs would say so. */
export const WHICH_GRAPH = 'query Which { node { first second } __type(name: "Node") { description } }';

/** `latencyMs`: how long the first subgraph takes, so that requests are under way while the graph is changed. */
export async function startTwoGraphs({ latencyMs = 0 } = {}): Promise<TwoGraphs> {
  const start = (graph: GraphName) =>
    startPlainSubgraphs({
      one: {
        sdl: `"""${graph}""" type Node @key(fields: "id") { id: ID! first: String } type Query { node: Node ${graph}only: Int }`,
        resolvers: {
          Query: {
            node: () =>
              new Promise((resolve) => setTimeout(() => resolve({ id: graph, first: graph }), latencyMs)),
          },
        },
      },
      two: {
        sdl: 'type Node @key(fields: "id") { id: ID! second: String }',
        // What the first one said and who is asked must be of one graph.
        resolvers: { Node: { second: ({ id }: { id: string }) => (id === graph ? graph : 'mixed') } },
      },
    });
  const [a, b] = await Promise.all([start('A'), start('B')]);
  return {
    sdl: { A: a.supergraph, B: b.supergraph },
    async close() {
      await Promise.all([a.close(), b.close()]);
    },
  };
}

/** The graph of the whole answer; null when it failed, 'mixed' when it is not of one. */
export async function askWhich(url: string): Promise<GraphName | 'mixed' | null> {
  const response = await request(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: WHICH_GRAPH }),
  });
  const text = await response.body.text();
  for (const graph of ['A', 'B'] as const) {
    const whole = {
      node: { first: graph, second: graph },
      __type: { description: graph },
    };
    const { data, errors } = JSON.parse(text) as { data?: Record<string, unknown>; errors?: unknown };
    if (errors || !data) return null;
    if (JSON.stringify([data['node'], data['__type']]) === JSON.stringify(Object.values(whole))) return graph;
  }
  return 'mixed';
}

export interface ReadyAnswer {
  readonly status: number;
  readonly hash: string;
  readonly reason: string | null;
}

export async function askReady(url: string): Promise<ReadyAnswer> {
  const response = await request(new URL('/health/ready', url));
  const body = (await response.body.json()) as {
    supergraph?: { hash: string; refused: { reason: string } | null };
  };
  const { supergraph } = body;
  return {
    status: response.statusCode,
    hash: supergraph?.hash ?? '',
    reason: supergraph?.refused?.reason ?? null,
  };
}

/** As one who deploys would: written beside, then moved over. */
export async function putFile(
  gateway: Pick<TestGateway, 'folder'>,
  name: string,
  text: string | Buffer,
): Promise<void> {
  const beside = `${gateway.folder}/${name}.new`;
  await writeFile(beside, text);
  await rename(beside, `${gateway.folder}/${name}`);
}

export const putGraph = (gateway: Pick<TestGateway, 'folder'>, text: string | Buffer) =>
  putFile(gateway, 'supergraph.graphql', text);

export const hashOf = (sdl: string) => createHash('sha256').update(sdl).digest('base64url');

/** Resolves with the first answer that is as wanted; rejects after a minute with the last one. */
export async function readyWhen(
  url: string,
  isWanted: (answer: ReadyAnswer) => boolean,
): Promise<ReadyAnswer> {
  const until = performance.now() + 60_000;
  for (;;) {
    const answer = await askReady(url);
    if (isWanted(answer)) return answer;
    if (performance.now() > until) throw new Error(`the gateway stayed at ${JSON.stringify(answer)}`);
  }
}
