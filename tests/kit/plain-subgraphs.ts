/** Plain Federation 2 subgraphs over HTTP, unsigned, for tests of the gateway as a gateway. */
import { composeServices } from '@apollo/composition';
import { buildSubgraphSchema } from '@apollo/subgraph';
import type { FastifyInstance } from 'fastify';
import Fastify from 'fastify';
import { graphql, parse } from 'graphql';

export interface PlainSubgraph {
  readonly sdl: string;
  readonly resolvers: Readonly<Record<string, unknown>>;
}

export interface PlainSubgraphs {
  readonly supergraph: string;
  /** What was asked so far, in order. */
  readonly calls: { readonly subgraph: string; readonly query: string; readonly variables: unknown }[];
  /** A subgraph that is down cuts every connection. */
  readonly down: Set<string>;
  close(): Promise<void>;
}

const LINK =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", "@requires", "@external", "@provides", "@policy", "@inaccessible", "@interfaceObject", "@override"])\n';

export async function startPlainSubgraphs(
  subgraphs: Readonly<Record<string, PlainSubgraph>>,
): Promise<PlainSubgraphs> {
  const calls: PlainSubgraphs['calls'] = [];
  const down = new Set<string>();
  const apps: FastifyInstance[] = [];
  const definitions = [];
  for (const [name, { sdl, resolvers }] of Object.entries(subgraphs)) {
    const typeDefs = parse(LINK + sdl);
    const schema = buildSubgraphSchema([{ typeDefs, resolvers: resolvers as never }]);
    const app = Fastify({ forceCloseConnections: true });
    app.post('/graphql', async (request, reply) => {
      if (down.has(name)) return reply.raw.destroy();
      const { query, variables } = request.body as { query: string; variables?: Record<string, unknown> };
      calls.push({ subgraph: name, query, variables });
      return graphql({ schema, source: query, variableValues: variables ?? {} });
    });
    await app.listen({ host: '127.0.0.1', port: 0 });
    apps.push(app);
    const address = app.server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    definitions.push({ name, url: `http://127.0.0.1:${port}/graphql`, typeDefs });
  }
  const composed = composeServices(definitions);
  if (composed.errors) throw new Error(composed.errors.map(({ message }) => message).join('\n'));
  return {
    supergraph: composed.supergraphSdl,
    calls,
    down,
    async close() {
      await Promise.all(apps.map((app) => app.close()));
    },
  };
}
