/** A subgraph that answers with what no subgraph should: bounded, refused, and never taken for an answer. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { ANONYMOUS, PRINCIPAL_HEADER, verifyPrincipal } from '../../schema/principal.ts';
import { sandboxKey } from '../../schema/keys.ts';
import { createPublicKey } from 'node:crypto';
import { createTimeLimit } from './time-limit.ts';
import type { Transport } from './transport.ts';
import { createTransport, SubgraphUnreachableError } from './transport.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const DATA = '{"data":{"a":1}}';
let server: Server;
let transport: Transport;
let respond: (response: ServerResponse, request: IncomingMessage, body: string) => void;

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => respond(response, request, body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  transport = createTransport({
    urls: new Map([['tax', `http://127.0.0.1:${port}/tax/graphql`]]),
    signingKey: sandboxKey('gateway'),
    connections: 2,
  });
});
afterAll(async () => {
  await transport.close();
  server.closeAllConnections();
  server.close();
});

function ask(answer: typeof respond, ms = 5_000) {
  respond = answer;
  const request = { query: '{ a }', variables: {}, principal: ANONYMOUS, items: ['tax.grade'] };
  const { signal, deadline, end } = createTimeLimit(new AbortController().signal, ms);
  return transport.send('tax', { ...request, signal, deadline }).finally(end);
}
const sent =
  (body: string | Buffer, headers: Record<string, string | string[]> = {}) =>
  (response: ServerResponse) =>
    void response.writeHead(200, { ...JSON_TYPE, ...headers }).end(body);

describe('a fetch', () => {
  it('asks for no coding, signed for this subgraph and this body', async () => {
    let signed: unknown;
    const answer = await ask((response, { headers }, body) => {
      const token = String(headers[PRINCIPAL_HEADER]);
      const expected = { subgraph: 'tax', body };
      signed = {
        ...verifyPrincipal(createPublicKey(sandboxKey('gateway')), token, expected, Date.now()),
        coding: headers['accept-encoding'],
      };
      sent(DATA)(response);
    });
    expect([answer.data, signed]).toMatchObject([
      { a: 1 },
      { aud: 'tax', items: ['tax.grade'], coding: undefined },
    ]);
  });

  it.each([
    ['in gzip', sent(gzipSync(DATA), { 'content-encoding': 'gzip' })],
    ['in brotli', sent(brotliCompressSync(DATA), { 'content-encoding': 'br' })],
    ['in a coding that is none', sent(DATA, { 'content-encoding': 'identity' })],
    ['in a bomb', sent(gzipSync(Buffer.alloc(20 * 1024 * 1024)), { 'content-encoding': 'gzip' })],
    [
      'in a thousand codings',
      sent(DATA, { 'content-encoding': Array.from({ length: 1_000 }, () => 'gzip').join(', ') }),
    ],
    [
      'in a thousand headers of codings',
      sent(DATA, { 'content-encoding': Array.from({ length: 1_000 }, () => 'gzip') }),
    ],
    ['with headers without end', sent(DATA, { x: 'x'.repeat(100_000) })],
    ['in another character set', sent(Buffer.from('{"data":{"name":"\xd5\xc5"}}', 'latin1'))],
    ['in HTML', sent('<p>maintenance</p>')],
    ['with nothing', sent('')],
    [
      'cut short',
      (response: ServerResponse) =>
        void response
          .writeHead(200, { ...JSON_TYPE, 'content-length': '100' })
          .write(DATA, () => response.destroy()),
    ],
  ])('that is answered %s found nothing out', async (_, answer) => {
    await expect(ask(answer)).rejects.toBeInstanceOf(SubgraphUnreachableError);
  });

  it('that is answered without end is cut at the cap', async () => {
    let written = 0;
    const flood = (response: ServerResponse) => {
      response.writeHead(200, JSON_TYPE).write('{"data":{"a":"');
      const piece = Buffer.alloc(1024 * 1024, 'x');
      const more = () => {
        while (!response.destroyed && response.write(piece)) written += piece.length;
        written += piece.length;
      };
      response.on('drain', more);
      more();
      response.on('close', () => response.off('drain', more));
    };
    await expect(ask(flood, 20_000)).rejects.toThrow('answered with more than the cap');
    // The cap is 32 MB; what is more is on its way in buffers.
    expect(written).toBeLessThan(64 * 1024 * 1024);
  });

  it('whose answer comes one byte at a time ends at the deadline', async () => {
    const drip = (response: ServerResponse) => {
      response.writeHead(200, JSON_TYPE);
      const timer = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(timer));
    };
    const startedAt = performance.now();
    await expect(ask(drip, 200)).rejects.toBeInstanceOf(SubgraphUnreachableError);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  it('whose answer bears the names of the prototype changes nothing but itself', async () => {
    const hostile =
      '{"data":{"__proto__":{"polluted":1},"a":{"constructor":{"prototype":{"polluted":1}},"__proto__":{"polluted":1}}},"__proto__":{"polluted":1}}';
    const { data } = await ask(sent(hostile));
    expect(Object.getPrototypeOf(data)).toBe(Object.prototype);
    expect(Object.getPrototypeOf(data?.['a'])).toBe(Object.prototype);
    expect([({} as { polluted?: unknown }).polluted, Object.keys(Object.prototype)]).toEqual([undefined, []]);
  });
});
