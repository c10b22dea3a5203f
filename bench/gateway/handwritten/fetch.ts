/** The least that a call to a subgraph can cost in Node: one pool each, text in, text out. */
import { Pool } from 'undici';

type Body = Readonly<Record<string, unknown>>;
export type Ask = (subgraph: string, query: string, variables: Body) => Promise<Body>;

export function createAsk(urls: Readonly<Record<string, string>>): Ask {
  const pools = new Map(
    Object.entries(urls).map(([name, url]) => {
      const { origin, pathname } = new URL(url);
      return [name, { pool: new Pool(origin, { connections: 64 }), path: pathname }];
    }),
  );
  return async (subgraph, query, variables) => {
    const target = pools.get(subgraph);
    if (!target) throw new Error(`there is no subgraph ${subgraph}`);
    const { body } = await target.pool.request({
      method: 'POST',
      path: target.path,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await body.json()) as { data: Body; errors?: unknown };
    if (errors) throw new Error('a subgraph answered with errors');
    return data;
  };
}
