/** What the open web may send: packed, odd, twice, slowly. It is understood in one way or refused. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { connect } from 'node:net';
import {
  brotliCompressSync,
  brotliDecompressSync,
  constants,
  deflateSync,
  gunzipSync,
  gzipSync,
} from 'node:zlib';
import { pino } from 'pino';
import { request } from 'undici';
import type { Principal } from '../../schema/principal.ts';
import { ANONYMOUS } from '../../schema/principal.ts';
import type { GatewayAnswer, GatewayRequest } from './graphql-over-http.ts';
import { createHttp } from './server.ts';

const LIMIT = 50_000;
const FAST = { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } };
const JSON_TYPE = { 'content-type': 'application/json' };
const BODY = '{"query":"{ a }"}';
let app: FastifyInstance;
let url: string;
let heard: GatewayRequest[] = [];
let answer: GatewayAnswer = { data: { a: 1 } };
let principal: Principal = ANONYMOUS;

beforeAll(async () => {
  app = createHttp({
    identify: () => Promise.resolve(principal),
    answer: (asked) => {
      heard.push(asked);
      return Promise.resolve(answer);
    },
    isReady: () => true,
    metrics: () => Promise.resolve(''),
    observe: () => {},
    explorer: { html: '<p>explorer</p>', contentSecurityPolicy: "default-src 'none'" },
    bodyLimit: LIMIT,
    requestTimeoutMs: 300,
    log: pino({ level: 'silent' }),
  });
  url = `${await app.listen({ host: '127.0.0.1', port: 0 })}/graphql`;
});
afterAll(() => app.close());

async function send(
  method: 'GET' | 'HEAD' | 'POST',
  headers: Record<string, string | string[]>,
  body?: string | Buffer,
) {
  heard = [];
  const response = await request(url, { method, headers, ...(body === undefined ? {} : { body }) });
  const bytes = Buffer.from(await response.body.arrayBuffer());
  return { status: response.statusCode, headers: response.headers, bytes, text: bytes.toString() };
}
const post = (body: string | Buffer, headers: Record<string, string | string[]> = {}) =>
  send('POST', { ...JSON_TYPE, ...headers }, body);
/** Writes to a connection of its own, and gives back all that comes until it is closed. */
function speak(...lines: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
    socket.write(lines.join('\r\n'));
  });
}

describe('a compressed body', () => {
  it.each([
    ['gzip', gzipSync(BODY)],
    ['GZIP', gzipSync(BODY)],
    ['x-gzip', gzipSync(BODY)],
    ['deflate', deflateSync(BODY)],
    ['br', brotliCompressSync(BODY)],
    ['identity', Buffer.from(BODY)],
  ])('in %s is read like any other', async (coding, body) => {
    const { status } = await post(body, { 'content-encoding': coding });
    expect([status, heard[0]?.query]).toEqual([200, '{ a }']);
  });

  it.each([
    ['a chain', gzipSync(gzipSync(BODY)), 'gzip, gzip'],
    ['a thousand codings', gzipSync(BODY), Array.from({ length: 1_000 }, () => 'gzip').join(',')],
    ['an unknown coding', Buffer.from(BODY), 'zstd'],
    ['a coding that is no coding', Buffer.from(BODY), '__proto__'],
    ['the coding of another place', Buffer.from(BODY), 'chunked'],
  ])('in %s is 415', async (_, body, coding) => {
    const { status, text } = await post(body, { 'content-encoding': coding });
    expect([status, text.includes('UNSUPPORTED_MEDIA_TYPE'), heard]).toEqual([415, true, []]);
  });

  it.each([
    ['cut short', gzipSync(BODY).subarray(0, 20), 'gzip'],
    ['of another coding than it says', gzipSync(BODY), 'br'],
    ['not packed at all', Buffer.from(BODY), 'gzip'],
    ['with a wrong sum', Buffer.concat([gzipSync(BODY).subarray(0, -8), Buffer.alloc(8)]), 'gzip'],
  ])('%s is 400', async (_, body, coding) => {
    expect([(await post(body, { 'content-encoding': coding })).status, heard]).toEqual([400, []]);
  });

  it('is counted as it unpacks: what is one byte over the limit is 413, what is at the limit is read', async () => {
    const padded = (length: number) => BODY + ' '.repeat(length - BODY.length);
    for (const pack of [gzipSync, brotliCompressSync, deflateSync]) {
      const coding = pack === gzipSync ? 'gzip' : pack === deflateSync ? 'deflate' : 'br';
      expect((await post(pack(padded(LIMIT)), { 'content-encoding': coding })).status).toBe(200);
      expect((await post(pack(padded(LIMIT + 1)), { 'content-encoding': coding })).status).toBe(413);
    }
  });

  it('that is a bomb is 413 before it has gone off', async () => {
    // Brotli and the first gzip come under the limit, and go off; the second gzip is over it as it is.
    const bombs = [
      { coding: 'br', body: brotliCompressSync(Buffer.alloc(60 * 1024 * 1024), FAST) },
      { coding: 'gzip', body: gzipSync(Buffer.alloc(40 * 1024 * 1024)) },
      { coding: 'gzip', body: gzipSync(Buffer.alloc(80 * 1024 * 1024), { level: 1 }) },
    ];
    await post(gzipSync(BODY), { 'content-encoding': 'gzip' });
    const before = process.memoryUsage();
    let most = 0;
    for (let round = 0; round < 5; round++)
      for (const { coding, body } of bombs) {
        expect((await post(body, { 'content-encoding': coding })).status).toBe(413);
        const { external, arrayBuffers } = process.memoryUsage();
        most = Math.max(most, external + arrayBuffers - before.external - before.arrayBuffers);
      }
    // Fifteen bombs of 40 to 80 MB each, one of which would show.
    expect(most).toBeLessThan(30 * 1024 * 1024);
  });
});

describe('a body', () => {
  it('that says a thing twice is 400', async () => {
    for (const body of [
      '{"query":"{ a }","query":"{ b }"}',
      '{"query":"{ a }","q\\u0075ery":"{ b }"}',
      '{"query":"{ a }","variables":{"x":1,"x":2}}',
    ])
      expect([(await post(body)).status, heard]).toEqual([400, []]);
  });

  it('that is no UTF-8, or begins with a mark of order, is 400', async () => {
    const bodies = [
      Buffer.from('{"query":"{ a }","variables":{"x":"\xff"}}', 'latin1'),
      Buffer.from('\ufeff' + BODY),
      Buffer.from(BODY, 'utf16le'),
    ];
    for (const body of bodies) expect([(await post(body)).status, heard]).toEqual([400, []]);
    await post('{"query":"{ a }","variables":{"name":"天津"}}');
    expect(heard[0]?.variables).toEqual({ name: '天津' });
  });

  it('with the names of the prototype is what it says, and changes nothing else', async () => {
    const names = ['constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf'];
    const variables = Object.fromEntries(names.map((name) => [name, { polluted: name }]));
    await post(JSON.stringify({ query: '{ a }', variables, operationName: 'constructor' }));
    expect(heard[0]).toMatchObject({ variables, operationName: 'constructor' });
    const deep =
      '{"query":"{ a }","variables":{"x":{"__proto__":{"polluted":1}}},"__proto__":{"polluted":1}}';
    expect((await post(deep)).status).toBe(200);
    expect(Object.hasOwn(heard[0]?.variables['x'] as object, '__proto__')).toBe(true);
    for (const body of [
      '{"query":"{ a }","variables":{"__proto__":{"polluted":1}}}',
      '{"query":"query ($__proto__: Int = 1) { a }"}',
    ])
      expect((await post(body)).status).toBe(400);
    expect([({} as { polluted?: unknown }).polluted, Object.keys(Object.prototype)]).toEqual([undefined, []]);
  });

  it('that comes too slowly is given up', async () => {
    const text = await speak(
      'POST /graphql HTTP/1.1',
      'host: x',
      'content-type: application/json',
      'content-length: 100',
      '',
      '{"query":',
    );
    expect(text).toContain('408');
  });
});

describe('a request without a preflight', () => {
  it.each(['message/http', 'text/plain', 'application/json', 'application/x-www-form-urlencoded', ''])(
    'GET with the content type %p is 415, whatever it accepts',
    async (type) => {
      for (const accept of ['text/html', 'application/json', '*/*'])
        expect([(await send('GET', { accept, 'content-type': type })).status, heard]).toEqual([415, []]);
    },
  );

  it('GET asks nothing', async () => {
    const response = await request(`${url}?query=${encodeURIComponent('{ a }')}`);
    expect([response.statusCode, heard]).toEqual([405, []]);
    await response.body.dump();
  });

  it('POST without a content type is no request of ours', async () => {
    expect([(await send('POST', {}, BODY)).status, heard]).toEqual([415, []]);
    expect([(await send('POST', {})).status, heard]).toEqual([400, []]);
  });
});

describe('headers', () => {
  it('that leave open where the body ends are 400', async () => {
    const lines = ['POST /graphql HTTP/1.1', 'host: x', 'content-type: application/json'];
    const both = ['content-length: 5', 'transfer-encoding: chunked', '', '0', '', ''];
    const twice = ['content-length: 0', 'content-length: 5', '', '{}'];
    for (const rest of [both, twice]) expect(await speak(...lines, ...rest)).toMatch(/^HTTP\/1.1 400 /);
    expect(heard).toEqual([]);
  });

  it('that are there twice are 400: Node takes the first, another may take the last', async () => {
    for (const name of ['authorization', 'content-type', 'jinxin-purpose', 'idempotency-key'])
      expect([
        (await post(BODY, { [name]: ['application/json', 'application/json'] })).status,
        heard,
      ]).toEqual([400, []]);
  });

  it('that are too long together are 431', async () => {
    const text = await speak('POST /graphql HTTP/1.1', 'host: x', `x: ${'x'.repeat(20_000)}`, '', '');
    expect(text).toContain('431');
  });

  it('are all seen: none is dropped behind thousands of others', async () => {
    const many = Array.from({ length: 3_000 }, () => 'a:');
    const text = await speak(
      'POST /graphql HTTP/1.1',
      'host: x',
      ...many,
      'content-encoding: zstd',
      'content-type: application/json',
      'connection: close',
      `content-length: ${BODY.length}`,
      '',
      BODY,
    );
    expect([text.slice(0, 12), heard]).toEqual(['HTTP/1.1 415', []]);
  });

  it('Idempotency-Key is handed on when it is 1 to 128 visible signs, and 400 otherwise', async () => {
    await post(BODY);
    expect(heard[0]?.idempotencyKey).toBeNull();
    for (const key of ['k', '"8e03978e-40d5-43dd-bc93-6894a57f9324"', '~'.repeat(128)]) {
      await post(BODY, { 'idempotency-key': key });
      expect(heard[0]?.idempotencyKey).toBe(key);
    }
    for (const key of ['', 'a b', 'x'.repeat(129), '\u00e4'])
      expect([(await post(BODY, { 'idempotency-key': key })).status, heard]).toEqual([400, []]);
  });
});

describe('the explorer', () => {
  it('is sent in gzip to those who accept gzip, and as it is to all others', async () => {
    for (const [accepted, coding] of [
      ['gzip, br', 'gzip'],
      ['br', undefined],
      ['gzip;q=0, br', undefined],
    ] as const) {
      const { headers, bytes } = await send('GET', { accept: 'text/html', 'accept-encoding': accepted });
      expect(headers['content-encoding']).toBe(coding);
      expect((coding ? gunzipSync(bytes) : bytes).toString()).toContain('explorer');
    }
  });
});

describe('an answer', () => {
  const long = { data: { text: '统一社会信用代码'.repeat(200) } };

  it('of some length is compressed for those who accept it, and the same', async () => {
    answer = long;
    const codings = [
      ['gzip', 'gzip', gunzipSync],
      ['gzip, deflate, br', 'br', brotliDecompressSync],
      ['br;q=0, gzip;q=0.5', 'gzip', gunzipSync],
      ['*', 'br', brotliDecompressSync],
    ] as const;
    for (const [accepted, coding, unpack] of codings) {
      const { headers, bytes } = await post(BODY, { 'accept-encoding': accepted });
      expect([headers['content-encoding'], headers['vary']]).toEqual([coding, 'accept, accept-encoding']);
      expect(JSON.parse(unpack(bytes).toString())).toEqual(long);
    }
  });

  it('is plain when it is short, when nobody asked, and when a subject reads of itself', async () => {
    answer = long;
    for (const accepted of ['identity', 'zstd', 'br;q=0', 'gzip;q=0, *;q=0', ''])
      expect((await post(BODY, { 'accept-encoding': accepted })).headers['content-encoding']).toBeUndefined();
    principal = { kind: 'subject', id: 'citizen', purpose: 'SELF_ACCESS', subjects: [] };
    const own = await post(BODY, { 'accept-encoding': 'gzip' });
    principal = ANONYMOUS;
    answer = { data: { a: 1 } };
    const short = await post(BODY, { 'accept-encoding': 'gzip' });
    expect([own.headers['content-encoding'], short.headers['content-encoding']]).toEqual([
      undefined,
      undefined,
    ]);
    expect([JSON.parse(own.text), JSON.parse(short.text)]).toEqual([long, answer]);
  });
});
