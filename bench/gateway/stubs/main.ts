/**
 * All subgraphs of the bench in one process, each on a port of its own: POST /plain, /hinted, /later (answers.ts). Beside them
 * GET /counts → what was asked so far, POST /v1/traces → the collector that takes traces and forgets them.
 * Prints one line of JSON when it listens: subgraph → origin, and `control`.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { credit } from '../graphs/credit.ts';
import type { BenchSubgraph } from '../graphs/graph.ts';
import { shop } from '../graphs/shop.ts';
import type { AnswerOf } from './answers.ts';
import { createAnswers, STUB_KINDS } from './answers.ts';

const counts = { calls: 0, representations: 0 };

async function listen(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer({ keepAliveTimeout: 60_000 }, handle).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function read(request: IncomingMessage, then: (body: string) => void): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () =>
    then((chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)).toString()),
  );
}

function send(response: ServerResponse, bytes: Buffer): void {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes.length }).end(bytes);
}

function toHandler(subgraph: BenchSubgraph) {
  const kinds = new Map<string, AnswerOf>(
    STUB_KINDS.map((kind) => [`/${kind}`, createAnswers(subgraph, kind)]),
  );
  return (request: IncomingMessage, response: ServerResponse) =>
    read(request, (body) => {
      const answerOf = kinds.get(request.url ?? '');
      if (!answerOf) return void response.writeHead(404).end();
      void Promise.resolve(answerOf(body)).then(
        ({ bytes, representations }) => {
          counts.calls++;
          counts.representations += representations;
          send(response, bytes);
        },
        (error: unknown) => response.writeHead(500).end(String(error)),
      );
    });
}

const origins: Record<string, string> = {};
for (const subgraph of [...shop.subgraphs, ...credit.subgraphs])
  origins[subgraph.name] = await listen(toHandler(subgraph));
origins['control'] = await listen((request, response) =>
  read(request, () => send(response, Buffer.from(JSON.stringify(request.url === '/counts' ? counts : {})))),
);
console.log(JSON.stringify(origins));
