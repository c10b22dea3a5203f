/** Stock @apollo/server + @apollo/gateway: `apollo.mjs PEERS SUPERGRAPH PORT stock|undici`. Plain JavaScript, as its users run it. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [peers, file, port, client] = process.argv.slice(2);
const require = createRequire(join(peers, 'package.json'));
const { ApolloServer } = require('@apollo/server');
const { startStandaloneServer } = require('@apollo/server/standalone');
const { ApolloGateway } = require('@apollo/gateway');
const { Pool } = require('undici');

/** The data source that federation#1562 asks for: one pool, no fetch. */
function createUndiciSource(url) {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections: 64 });
  return {
    async process({ request }) {
      const { body } = await pool.request({
        method: 'POST',
        path: pathname,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: request.query, variables: request.variables }),
      });
      return body.json();
    },
  };
}

const gateway = new ApolloGateway({
  supergraphSdl: readFileSync(file, 'utf8'),
  ...(client === 'undici' ? { buildService: ({ url }) => createUndiciSource(url) } : {}),
});
const server = new ApolloServer({ gateway });
await startStandaloneServer(server, { listen: { host: '127.0.0.1', port: Number(port) } });
