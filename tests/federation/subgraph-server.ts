/** The subgraphs of a graph over HTTP, in the troubles of the case that runs. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import type { Case } from './graph-file.ts';
import type { Subgraph } from './subgraph-schema.ts';
import type { World } from './world.ts';

export interface SubgraphCall {
  readonly subgraph: string;
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** What a case may do to the subgraphs. */
export type Conditions = Pick<Case, 'replies' | 'down' | 'slow' | 'missing' | 'held'>;

/** What is true while one operation runs, and what was asked for it. */
export interface Turn {
  readonly world: World;
  readonly conditions: Conditions;
  readonly calls: SubgraphCall[];
  /** From then on those that were held answer. */
  readonly released: Promise<void>;
}

const LATE_MS = 50;

/** All on one port, each at the path of its name. */
export async function serveSubgraphs(
  subgraphs: readonly Subgraph[],
  turnNow: () => Turn,
): Promise<{ readonly address: string; close(): Promise<void> }> {
  const server = createServer((incoming, outgoing) => {
    const { world, conditions, calls, released } = turnNow();
    const subgraph = subgraphs.find(({ name }) => `/${name}` === incoming.url);
    if (!subgraph || conditions.down.includes(subgraph.name)) return void incoming.socket.destroy();
    const { name } = subgraph;
    const reply = conditions.replies[name];
    const missing = conditions.missing[name] ?? [];

    async function answer(): Promise<void> {
      const { query, variables = {} } = (await json(incoming)) as {
        query: string;
        variables?: Record<string, unknown>;
      };
      calls.push({ subgraph: name, query, variables });
      const truth = () => subgraph?.answer(query, variables, { world, missing });
      const text = reply && 'text' in reply ? reply.text : JSON.stringify(reply ? reply.json : await truth());
      if (conditions.slow.includes(name)) await wait(LATE_MS);
      if (conditions.held.includes(name)) await released;
      outgoing.writeHead(reply?.status ?? 200, { 'content-type': 'application/json' }).end(text);
    }
    answer().catch(() => incoming.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
