import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { watchUrl } from './watched-text.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;
let answer: Answer;
let asked: IncomingMessage[];
let address: string;
let close: () => Promise<void>;

beforeEach(async () => {
  asked = [];
  const server = createServer((request, response) => {
    asked.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graph?of=city`;
  close = () =>
    new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
});
afterEach(() => close());

const tagged =
  (text: string, etag: string): Answer =>
  (request, response) => {
    if (request.headers['if-none-match'] === etag) response.writeHead(304).end();
    else response.writeHead(200, { etag }).end(text);
  };

describe('a supergraph at an address', () => {
  it('is sent again only when it has changed', async () => {
    const watched = watchUrl(address);
    answer = tagged('first', '"1"');
    const first = await watched.mark();
    expect(await watched.mark()).toBe(first);
    expect(await watched.read()).toBe('first');
    expect(asked.map(({ headers }) => headers['if-none-match'])).toEqual([undefined, '"1"']);
    answer = tagged('second', '"2"');
    expect(await watched.mark()).not.toBe(first);
    expect(await watched.read()).toBe('second');
    expect(asked).toHaveLength(3);
  });

  it('is the same while its text is, whatever the server says of it', async () => {
    const watched = watchUrl(address);
    answer = (_, response) => response.end('text');
    const first = await watched.mark();
    answer = tagged('text', '"new"');
    expect(await watched.mark()).toBe(first);
  });

  it('is asked for with the credentials of its address, which no message holds', async () => {
    const watched = watchUrl(address.replace('//', '//reader:p%40ss@'));
    answer = (_, response) => response.writeHead(500).end();
    await expect(watched.mark()).rejects.toThrow(/graph answered 500$/);
    await expect(watched.mark()).rejects.not.toThrow(/p@ss|p%40ss/);
    const { authorization = '' } = asked[0]?.headers ?? {};
    expect(Buffer.from(authorization.replace('Basic ', ''), 'base64').toString()).toBe('reader:p@ss');
  });

  it.each<[string, Answer]>([
    ['longer than the bound', (_, response) => response.end('x'.repeat(2_000))],
    [
      'longer than the bound without saying so',
      (_, response) => {
        for (let at = 0; at < 20; at++) response.write('x'.repeat(100));
        response.end();
      },
    ],
    [
      'cut off',
      (_, response) => {
        response.writeHead(200, { 'content-length': 100 });
        response.write('half', () => response.destroy());
      },
    ],
    [
      'compressed',
      (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('x')),
    ],
    ['moved', (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()],
    ['not UTF-8', (_, response) => response.end(Buffer.from([0xff]))],
    ['unchanged, though nothing was there before', (_, response) => response.writeHead(304).end()],
    ['never answered', () => undefined],
  ])('is not read when it is %s, and what was read before is kept', async (_, bad) => {
    const watched = watchUrl(address, { longestMs: 2_000, mostBytes: 1_000 });
    answer = bad;
    await expect(watched.mark()).rejects.toThrow();
    answer = tagged('good', '"1"');
    const mark = await watched.mark();
    answer = bad;
    await watched.mark().catch(() => undefined);
    expect(await watched.read()).toBe('good');
    answer = tagged('good', '"1"');
    expect(await watched.mark()).toBe(mark);
  });
});
