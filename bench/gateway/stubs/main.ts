/**
 * All subgraphs of the bench in one process, each on a port of its own: POST /plain or /hinted (with cache hints). Beside them
 * GET /counts → what was asked so far, POST /v1/traces → the collector that takes traces and forgets them.
 * Prints one line of JSON when it listens: subgraph → origin, and `control`.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { credit } from '../graphs/credit.ts';
import { shop } from '../graphs/shop.ts';
import type { AnswerOf } from './answers.ts';
import { createAnswers } from './answers.ts';

const MAX_AGE_SECONDS = 3_600;
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

function toHandler(plain: AnswerOf, hinted: AnswerOf) {
  return (request: IncomingMessage, response: ServerResponse) =>
    read(request, (body) => {
      const answerOf = request.url === '/hinted' ? hinted : plain;
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
  origins[subgraph.name] = await listen(
    toHandler(createAnswers(subgraph, null), createAnswers(subgraph, MAX_AGE_SECONDS)),
  );
origins['control'] = await listen((request, response) =>
  read(request, () => send(response, Buffer.from(JSON.stringify(request.url === '/counts' ? counts : {})))),
);
console.log(JSON.stringify(origins));
