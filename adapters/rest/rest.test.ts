import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sm3, sm4 } from 'sm-crypto-v2';
import { createRestServer, type RestServer } from '../../simulators/human-resources/rest-server.ts';
import { openQuestion, sealAnswer } from '../../simulators/human-resources/sealing.ts';
import type { Fault } from '../../simulators/simulator.ts';
import type { Adapter } from '../adapter.ts';
import type { Clock } from '../clock.ts';
import { createClock, systemClock } from '../clock.ts';
import { describeAdapterContract } from '../contract.ts';
import { createRestAdapter, type RestOptions, type RestRequest } from './adapter.ts';
import { createEnvelope } from './envelope.ts';
import { signRequest } from './signature.ts';

const ACCOUNT = { appKey: 'app', appSecret: 'app-secret', bodyKey: '0123456789abcdeffedcba9876543210' };
const KEY = Buffer.from(ACCOUNT.bodyKey, 'hex');
const SYSTEM = 'insurance service';
const ROWS = Array.from({ length: 4 }, (_, at) => ({
  AAB003: '91120101MA9TYN016Y',
  AAB004: '津信测试',
  AT: String(at),
}));

let server: RestServer;
let adapter: Adapter<RestRequest>;

const serve = (perSecond = 10_000): Promise<RestServer> =>
  createRestServer({
    account: ACCOUNT,
    clock: systemClock,
    latencyMs: 0,
    perSecond,
    answer: ({ count = '0' }) => ROWS.slice(0, Number(count)),
    foreign: () => ({ AAB003: '92120104MA9TYN032W', AAB004: '别家', AT: '9' }),
  });

function connect(options: Partial<RestOptions> = {}, clock: Clock = systemClock): Adapter<RestRequest> {
  const { appKey, appSecret } = ACCOUNT;
  const limits = { maxRows: 50, maxBytes: 256 * 1024 };
  return createRestAdapter(
    { system: SYSTEM, url: server.url, appKey, appSecret, bodyKey: KEY, ...limits, ...options },
    { clock },
  );
}

const ask = (count: number): RestRequest => ({ path: '/query', fields: { count: String(count) } });
const call = (request: RestRequest, by: Adapter<RestRequest> = adapter) =>
  by.call(request, { signal: new AbortController().signal, deadline: Infinity });

/** What a call ended in: its rows, or the fault. */
async function outcomeOf(by: Adapter<RestRequest>, request = ask(1)): Promise<unknown> {
  try {
    return (await call(request, by)).rows;
  } catch (error) {
    return (error as { fault?: string }).fault ?? error;
  } finally {
    await by.close();
  }
}

beforeAll(async () => {
  server = await serve();
  adapter = connect();
});
afterAll(async () => {
  await adapter.close();
  await server.close();
});

describeAdapterContract('rest', () => ({
  adapter,
  request: ask(3),
  faults: {
    refuse: ['unavailable'],
    slow: ['timeout'],
    hang: ['timeout'],
    // The proxy cuts the message anywhere: what is left is no message, or a connection that broke off.
    reset: ['malformed', 'unavailable'],
    truncate: ['malformed', 'unavailable'],
    garble: ['malformed'],
    html: ['malformed', 'unavailable'],
    oversize: ['malformed', 'unavailable'],
    'wrong-encoding': ['malformed'],
    'missing-rows': ['malformed'],
    'error-in-200': ['refused'],
    'expired-token': ['refused'],
  },
  fault: (name: string) => Promise.resolve(server.setFault(name as Fault)),
  heal: () => Promise.resolve(server.setFault(null)),
  openCalls: () => server.openCalls(),
}));

describe('rest answers', () => {
  it('are the rows as they were sealed, and the moment in the time of China', async () => {
    const { rows, asOf } = await call(ask(4));
    expect(rows).toEqual(ROWS);
    expect(asOf).toMatch(/^\d{4}-\d{2}-\d{2}T06:00:00\+08:00$/);
  });

  it('are taken once when their rows are sent twice', async () => {
    server.setFault('duplicate-rows');
    const { rows } = await call(ask(4));
    server.setFault(null);
    expect(rows).toEqual(ROWS);
  });

  it('are not believed when a row is missing, nor when the only one is', async () => {
    server.setFault('missing-rows');
    for (const count of [4, 1, 0])
      await expect(call(ask(count))).rejects.toMatchObject({ fault: 'malformed' });
    server.setFault(null);
  });

  it('of more rows than are read are refused whole', async () => {
    expect(await outcomeOf(connect({ maxRows: 3 }), ask(4))).toBe('malformed');
    expect(await outcomeOf(connect({ maxRows: 4 }), ask(4))).toEqual(ROWS);
  });
});

describe('a rest department refuses', () => {
  const minutes = 60_000;

  it.each([
    ['another secret', () => connect({ appSecret: 'guessed' })],
    ['an account that it does not know', () => connect({ appKey: 'somebody' })],
    ['a body under another key', () => connect({ bodyKey: Buffer.alloc(16, 7) })],
    ['a clock that is six minutes late', () => connect({}, createClock(1, Date.now() - 6 * minutes))],
    ['a clock that is six minutes early', () => connect({}, createClock(1, Date.now() + 6 * minutes))],
  ])('%s', async (_, make) => {
    expect(await outcomeOf(make())).toBe('refused');
  });

  it('no clock that is four minutes off', async () => {
    expect(await outcomeOf(connect({}, createClock(1, Date.now() - 4 * minutes)))).toHaveLength(1);
  });

  it('a request that is sent a second time', async () => {
    const captured: { headers: Record<string, string>; body: string }[] = [];
    const listener = createServer((request, response) => {
      void read(request).then((body) => {
        const headers = Object.entries(request.headers).filter(([name]) => name.startsWith('x-'));
        captured.push({ headers: Object.fromEntries(headers) as Record<string, string>, body });
        response.end();
      });
    }).listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const root = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/api`;
    await outcomeOf(connect({ url: root }));
    listener.close();
    const [first] = captured;
    const send = async () => {
      const init = { method: 'POST', headers: first?.headers ?? {}, body: first?.body ?? '' };
      return ((await (await fetch(`${server.url}/query`, init)).json()) as { code: string }).code;
    };
    expect([await send(), await send()]).toEqual(['0', '-2']);
  });

  it('the sixth call of a second and more, which is a department that is not available', async () => {
    const strict = await serve(5);
    const client = connect({ url: strict.url });
    const calls = Array.from({ length: 12 }, () =>
      call(ask(1), client).then(
        () => 'ok',
        (error: { fault: string }) => error.fault,
      ),
    );
    const outcomes = await Promise.all(calls);
    await client.close();
    await strict.close();
    expect(new Set(outcomes)).toEqual(new Set(['ok', 'unavailable']));
    // Five, and two that may bunch on the way; a little is refilled while they come.
    expect(outcomes.filter((outcome) => outcome === 'ok').length).toBeLessThanOrEqual(9);
  });
});

it('a simulated service goes down at once, whatever hangs', async () => {
  const hung = await serve();
  const client = connect({ url: hung.url });
  hung.setFault('hang');
  const pending = call(ask(1), client).catch((error: { fault: string }) => error.fault);
  const startedAt = performance.now();
  await hung.close();
  expect(performance.now() - startedAt).toBeLessThan(1_000);
  expect(await pending).toBe('unavailable');
  await client.close();
});

describe('a hostile or confused rest department', () => {
  interface Scene {
    readonly nonce: string;
    readonly fields: Record<string, string>;
  }
  const sealed = ({ nonce }: Scene, content: unknown, code = '0') =>
    JSON.stringify({
      code,
      msg: '成功',
      ...sealAnswer(ACCOUNT, nonce, Buffer.from(JSON.stringify(content))),
    });
  const content = (rows: unknown, more: object = {}) => ({
    total: 1,
    dataTime: '20260301060000',
    rows,
    ...more,
  });
  const GOOD = content([{ AAB003: 'X' }]);

  async function answerOf(
    toText: (scene: Scene) => string | Buffer,
    status = 200,
    type = 'application/json',
  ) {
    const scripted = createServer((request, response) => {
      void read(request).then((body) => {
        const nonce = String(request.headers['x-nonce']);
        const fields = openQuestion(ACCOUNT, nonce, Buffer.from(body)) ?? {};
        response.writeHead(status, { 'content-type': type }).end(toText({ nonce, fields }));
      });
    }).listen(0, '127.0.0.1');
    await once(scripted, 'listening');
    const root = `http://127.0.0.1:${(scripted.address() as AddressInfo).port}`;
    const outcome = await outcomeOf(connect({ url: root }));
    scripted.close();
    return outcome;
  }

  it('is believed when it answers properly', async () => {
    expect(await answerOf((scene) => sealed(scene, GOOD))).toEqual([{ AAB003: 'X' }]);
  });

  it.each<[string, (scene: Scene) => string | Buffer]>([
    ['an answer that is not sealed', () => JSON.stringify({ code: '0', ...GOOD })],
    [
      'an answer under another key',
      ({ nonce }) =>
        JSON.stringify({
          code: '0',
          ...sealAnswer({ ...ACCOUNT, bodyKey: 'f'.repeat(32) }, nonce, Buffer.from('{}')),
        }),
    ],
    ['the answer to another question', () => sealed({ nonce: 'another', fields: {} }, GOOD)],
    [
      'our own question sent back',
      ({ nonce }) => JSON.stringify({ code: '0', ...createEnvelope(KEY).seal(JSON.stringify(GOOD), nonce) }),
    ],
    [
      'another initialisation vector',
      (scene) => sealed(scene, GOOD).replace(/"iv":"[^"]*"/, `"iv":"${Buffer.alloc(16).toString('base64')}"`),
    ],
    ['a MAC of no length', (scene) => sealed(scene, GOOD).replace(/"mac":"[^"]*"/, '"mac":""')],
    ['half an answer', (scene) => sealed(scene, GOOD).slice(0, 60)],
    ['rows that are no list', (scene) => sealed(scene, content({ AAB003: 'X' }))],
    ['a row inside a row', (scene) => sealed(scene, content([{ AAB003: { a: 1 } }]))],
    ['a count that is no number', (scene) => sealed(scene, content([{ AAB003: 'X' }], { total: '1' }))],
    [
      'a moment that does not exist',
      (scene) => sealed(scene, content([{ AAB003: 'X' }], { dataTime: '20261332060000' })),
    ],
    ['a code that is a number', (scene) => sealed(scene, GOOD).replace('"code":"0"', '"code":0')],
    ['a code that is a sentence', () => JSON.stringify({ code: '查无此人 120101190001010016' })],
    [
      'bytes that are not UTF-8',
      (scene) => Buffer.concat([Buffer.from(sealed(scene, GOOD)), Buffer.from([0xff])]),
    ],
    ['nothing at all', () => ''],
    ['a list', () => '[]'],
  ])('is malformed with %s', async (_, toText) => {
    expect(await answerOf(toText)).toBe('malformed');
  });

  it('is malformed with JSON under the name of HTML', async () => {
    expect(await answerOf((scene) => sealed(scene, GOOD), 200, 'text/html')).toBe('malformed');
  });

  it.each([
    [429, 'unavailable'],
    [503, 'unavailable'],
    [401, 'refused'],
    [302, 'malformed'],
  ])('ends status %i as %s', async (status, fault) => {
    expect(await answerOf(() => '{}', status)).toBe(fault);
  });

  it('never gets its own words into an error', async () => {
    const scripted = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end('{"code":"-1","msg":"张测试 120101190001010016 查询失败"}');
    }).listen(0, '127.0.0.1');
    await once(scripted, 'listening');
    const client = connect({ url: `http://127.0.0.1:${(scripted.address() as AddressInfo).port}` });
    const error = (await call(ask(1), client).catch((reason: unknown) => reason)) as Error;
    await client.close();
    scripted.close();
    expect(error.message).toBe(`${SYSTEM} refused with code -1`);
    expect(error.cause).toBeUndefined();
  });
});

describe('the national algorithms', () => {
  it('are the ones of the standards', () => {
    // GB/T 32905, example 1.
    expect(createHash('sm3').update('abc').digest('hex')).toBe(
      '66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0',
    );
  });

  it('sign as another implementation does', () => {
    const secret = 'app-secret';
    const parts = {
      method: 'POST',
      path: '/api/query',
      appKey: 'app',
      timestamp: '1',
      nonce: 'n',
      body: '津信',
    };
    const text = ['POST', '/api/query', 'app', '1', 'n', sm3(parts.body)].join('\n');
    const expected = sm3(text, { mode: 'hmac', key: Buffer.from(secret).toString('hex') });
    expect(signRequest(secret, parts)).toBe(expected);
  });

  it('seal so that another implementation opens it, whatever the text', () => {
    const envelope = createEnvelope(KEY);
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const { iv, data } = envelope.seal(text, 'nonce');
        const toHex = (base64: string) => Buffer.from(base64, 'base64').toString('hex');
        const opened = sm4.decrypt(toHex(data), ACCOUNT.bodyKey, { mode: 'cbc', iv: toHex(iv) });
        expect(opened).toBe(Buffer.from(text).toString('utf8'));
      }),
    );
  });

  it('open nothing in which a single character was changed', () => {
    const envelope = createEnvelope(KEY);
    const answer = sealAnswer(ACCOUNT, 'nonce', Buffer.from('{"total":0,"rows":[]}'));
    expect(envelope.open(answer, 'nonce')).toBe('{"total":0,"rows":[]}');
    fc.assert(
      fc.property(
        fc.constantFrom('iv', 'data', 'mac'),
        fc.nat(),
        fc.constantFrom(...'abcdef0123456789'),
        (part, at, letter) => {
          const whole = answer[part];
          const place = at % (whole.length - 2);
          fc.pre(whole[place] !== letter);
          const changed = { ...answer, [part]: whole.slice(0, place) + letter + whole.slice(place + 1) };
          expect(() => envelope.open(changed, 'nonce')).toThrow();
        },
      ),
    );
  });
});

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
