import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { connect } from 'node:net';
import { pino } from 'pino';
import { request } from 'undici';
import { createError } from '../../schema/errors.ts';
import { ANONYMOUS } from '../../schema/principal.ts';
import type { GatewayAnswer, GatewayRequest } from './graphql-over-http.ts';
import { createHttp } from './server.ts';

const GRAPHQL = 'application/graphql-response+json';
let app: FastifyInstance;
let url: string;
let heard: GatewayRequest[] = [];
/** What the gateway behind says; a test may make it wait. */
let answer: (request: GatewayRequest) => Promise<GatewayAnswer>;
const ok = () => Promise.resolve({ data: { a: 1 } });

async function open(): Promise<FastifyInstance> {
  const http = createHttp({
    identify: () => Promise.resolve(ANONYMOUS),
    answer: (asked) => {
      heard.push(asked);
      return answer(asked);
    },
    isReady: () => true,
    metrics: () => Promise.resolve(''),
    observe: () => {},
    explorer: { html: '<p>explorer</p>', contentSecurityPolicy: "default-src 'none'" },
    bodyLimit: 10_000,
    log: pino({ level: 'silent' }),
  });
  await http.listen({ host: '127.0.0.1', port: 0 });
  return http;
}
const portOf = (http: FastifyInstance) => (http.server.address() as { port: number }).port;

beforeAll(async () => {
  app = await open();
  url = `http://127.0.0.1:${portOf(app)}/graphql`;
});
afterAll(() => app.close());

async function send(
  method: 'GET' | 'POST' | 'HEAD' | 'OPTIONS' | 'PUT',
  headers = {},
  body?: string | Buffer,
) {
  heard = [];
  answer = ok;
  const response = await request(url, { method, headers, ...(body === undefined ? {} : { body }) });
  const text = await response.body.text();
  return {
    status: response.statusCode,
    headers: response.headers,
    text,
    type: response.headers['content-type'],
  };
}
const post = (body: unknown, headers: object = {}) =>
  send('POST', { 'content-type': 'application/json', ...headers }, JSON.stringify(body));

describe('POST', () => {
  it.each([
    ['a batch', [{ query: '{ a }' }]],
    ['no query', { variables: {} }],
    ['an empty query', { query: '' }],
    ['a query that is no text', { query: 5 }],
    ['variables in a text', { query: '{ a }', variables: '{}' }],
    ['variables in a list', { query: '{ a }', variables: [] }],
    ['a name that is no text', { query: '{ a }', operationName: {} }],
    ['extensions in a list', { query: '{ a }', extensions: [] }],
    ['null', null],
    ['a text', 'x'],
  ])('of %s is 400 in JSON, and goes no further', async (_, body) => {
    const { status, type, text } = await post(body);
    expect([status, type, heard]).toEqual([400, 'application/json; charset=utf-8', []]);
    expect(JSON.parse(text)).toMatchObject({ errors: [{ extensions: { code: 'BAD_REQUEST' } }] });
  });

  it.each([
    ['application/json; charset=utf-8', 200],
    ['application/json;charset="UTF-8"', 200],
    ['application/json; charset=gbk', 415],
    ['application/graphql', 415],
    ['text/plain', 415],
    ['multipart/form-data; boundary=x', 415],
    ['application/json; profile="x"', 200],
    ['application/json; charset=utf-32', 415],
    ['application/json; charset=iso-2022-kr', 415],
    ['application/json; charset=utf-7', 415],
    ['application/json; charset=utf-8; charset=utf-32', 415],
    ["application/json; charset*=utf-32''x", 415],
    ['application/json; x=charset', 415],
    ['application/json, text/plain', 415],
    ['application/jsonp', 415],
    ['application/x-www-form-urlencoded', 415],
    ['message/http', 415],
  ])('of %s is %i', async (type, status) => {
    expect((await send('POST', { 'content-type': type }, '{"query":"{ a }"}')).status).toBe(status);
  });

  it('is answered in the media type that was asked for, and kept by no cache', async () => {
    const plain = await post({ query: '{ a }' });
    const named = await post({ query: '{ a }' }, { accept: `${GRAPHQL}, application/json;q=0.9` });
    expect([plain.type, named.type]).toEqual([
      'application/json; charset=utf-8',
      `${GRAPHQL}; charset=utf-8`,
    ]);
    expect([plain.headers['cache-control'], plain.headers['x-content-type-options']]).toEqual([
      'no-store',
      'nosniff',
    ]);
  });

  it('hands null variables and a missing name on as nothing', async () => {
    await post({ query: '{ a }', variables: null, operationName: null });
    expect(heard[0]).toMatchObject({ variables: {}, operationName: null });
  });
});

describe('other methods', () => {
  it('GET shows the explorer to a browser, and is no way to ask', async () => {
    expect((await send('GET', { accept: 'text/html' })).text).toContain('explorer');
    const other = await send('GET', { accept: 'application/json' });
    expect([other.status, other.headers['allow'], other.type]).toEqual([
      405,
      'POST',
      'application/json; charset=utf-8',
    ]);
    expect(other.text).toContain('sent by POST');
    expect((await send('HEAD', { accept: 'text/html' })).status).toBe(200);
    expect((await send('HEAD')).status).toBe(405);
  });

  it('OPTIONS says what there is, and lets no foreign page in', async () => {
    const { status, headers } = await send('OPTIONS', {
      origin: 'https://elsewhere.invalid',
      'access-control-request-method': 'POST',
    });
    expect([status, headers['allow'], headers['access-control-allow-origin']]).toEqual([
      204,
      'GET, HEAD, POST, OPTIONS',
      undefined,
    ]);
  });

  it('PUT is 405', async () => {
    const { status, headers, text } = await send('PUT', { 'content-type': 'application/json' }, '{}');
    expect([status, headers['allow']]).toEqual([405, 'GET, HEAD, POST, OPTIONS']);
    expect(JSON.parse(text)).toMatchObject({ errors: [{ extensions: { code: 'BAD_REQUEST' } }] });
  });
});

describe('a refusal', () => {
  it('that asks to wait says how long, in the header as well', async () => {
    answer = ok;
    const waiting = createError('RATE_LIMITED', { extensions: { retryAfter: 3 } });
    const refusing = () => Promise.resolve({ errors: [waiting.toJSON()] });
    const response = await sendTo(refusing);
    expect([response.statusCode, response.headers['retry-after']]).toEqual([429, '3']);
  });

  it('of our own making is 500 without a word of why', async () => {
    const response = await sendTo(() => Promise.reject(new Error('secret')));
    expect(response.statusCode).toBe(500);
    expect(await response.body.text()).not.toContain('secret');
  });
});

describe('a client that leaves', () => {
  it('ends the work for it', async () => {
    const left = new Promise<void>((resolve) => {
      answer = (asked) =>
        new Promise((done) => {
          asked.signal.addEventListener('abort', () => {
            resolve();
            done({ data: null });
          });
          socket.destroy();
        });
    });
    const body = '{"query":"{ a }"}';
    const socket = connect(portOf(app), '127.0.0.1');
    socket.write(
      `POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    await left;
    expect(socket.destroyed).toBe(true);
  });
});

describe('shutdown', () => {
  it('answers what is in flight, and closes the connections that only wait', async () => {
    const other = await open();
    let finish = () => {};
    const arrived = new Promise<void>((resolve) => {
      answer = () => {
        resolve();
        return new Promise((done) => (finish = () => done({ data: { a: 2 } })));
      };
    });
    const idle = connect(portOf(other), '127.0.0.1');
    const idleClosed = new Promise<void>((resolve) => idle.on('close', () => resolve()));
    idle.write('GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n');
    await new Promise((resolve) => idle.once('data', resolve));
    const flying = request(`http://127.0.0.1:${portOf(other)}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"query":"{ a }"}',
    });
    await arrived;
    const closed = other.close();
    await idleClosed;
    finish();
    expect(await (await flying).body.json()).toEqual({ data: { a: 2 } });
    await closed;
  });
});

async function sendTo(behind: typeof answer) {
  answer = behind;
  return request(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"query":"{ a }"}',
  });
}
