/** Answers in parts and events, byte by byte, from a gateway that the test plays. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connect } from 'node:net';
import type { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip } from 'node:zlib';
import { request } from 'undici';
import { createError } from '../../schema/errors.ts';
import type { Principal } from '../../schema/principal.ts';
import { ANONYMOUS } from '../../schema/principal.ts';
import type { FrontDoor } from '../../tests/kit/front-door.ts';
import { createSource, deferTax, openFrontDoor } from '../../tests/kit/front-door.ts';
import type { DeferredPart, GatewayAnswer } from './graphql-over-http.ts';

const OLDER = 'multipart/mixed;deferSpec=20220824, application/json';
const NEWER = 'multipart/mixed; incrementalSpec=v0.2';
const EVENTS = 'text/event-stream';
const TAX: DeferredPart = { id: '0', data: { tax: { status: 'CLEAN' } } };

let door: FrontDoor;
let principal: Principal = ANONYMOUS;
beforeAll(async () => {
  door = await openFrontDoor({ identify: () => Promise.resolve(principal), beatMs: 20 });
});
afterAll(() => door.close());

async function open(accept: string, headers: Record<string, string> = {}, url = door.url) {
  const {
    statusCode,
    headers: told,
    body,
  } = await request(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept, ...headers },
    body: '{"query":"{ a }"}',
  });
  return { status: statusCode, headers: told, type: told['content-type'], body };
}
/** The whole body; without the beats of a stream, which come as they will. */
async function read(accept: string) {
  const { status, type, body } = await open(accept);
  return { status, type, text: (await body.text()).replaceAll(/^:\n\n/gm, '') };
}
const partsOf = (text: string) =>
  text
    .split(/\r\n---(?:--\r\n)?/)
    .filter((part) => part !== '')
    .map((part) => JSON.parse(part.split('\r\n\r\n')[1] ?? ''));

describe('an answer in parts', () => {
  it('is multipart in the format of 2022 for those who name it, byte by byte', async () => {
    door.answerBy(() => deferTax(createSource(TAX)));
    const { status, type, text } = await read(OLDER);
    expect([status, type]).toEqual([200, 'multipart/mixed; boundary="-"; deferSpec=20220824']);
    expect(text).toBe(
      [
        '',
        '---',
        'content-type: application/json; charset=utf-8',
        '',
        '{"data":{"company":{"__typename":"Company","id":"1","name":"Jin"}},"hasNext":true}',
        '---',
        'content-type: application/json; charset=utf-8',
        '',
        '{"incremental":[{"data":{"tax":{"status":"CLEAN"}},"path":["company"],"label":"Tax"}],"hasNext":false}',
        '-----',
        '',
      ].join('\r\n'),
    );
  });

  it('is told in the format v0.2 to those who name it, fragments in fragments too', async () => {
    const inner = { id: '1', path: ['company', 'tax'] };
    const receipt = { receipt: 'signed' };
    door.answerBy(() =>
      deferTax(
        createSource<DeferredPart>(
          { ...TAX, pending: [inner], extensions: receipt },
          { id: '1', data: { grade: 'A' } },
        ),
      ),
    );
    const { type, text } = await read(NEWER);
    expect(type).toBe('multipart/mixed; boundary="-"; incrementalSpec=v0.2');
    expect(partsOf(text)).toEqual([
      {
        data: { company: { __typename: 'Company', id: '1', name: 'Jin' } },
        pending: [{ id: '0', path: ['company'], label: 'Tax' }],
        hasNext: true,
      },
      {
        pending: [inner],
        incremental: [{ id: '0', data: TAX.data, extensions: receipt }],
        completed: [{ id: '0' }],
        hasNext: true,
      },
      { incremental: [{ id: '1', data: { grade: 'A' } }], completed: [{ id: '1' }], hasNext: false },
    ]);
  });

  it.each([
    ['a refusal of the table', createError('AUDIT_UNAVAILABLE'), 'AUDIT_UNAVAILABLE'],
    ['a failure of ours', new Error('secret'), 'INTERNAL'],
  ])('says of %s only what the table says, in either format', async (_, error, code) => {
    const fail = () => {
      const source = createSource<DeferredPart>();
      source.fail(error);
      door.answerBy(() => deferTax(source));
    };
    const errors = [expect.objectContaining({ extensions: { code } })];
    fail();
    const older = await read(OLDER);
    fail();
    const newer = await read(NEWER);
    expect(partsOf(older.text)[1]).toEqual({
      incremental: [{ data: null, errors, path: ['company'], label: 'Tax' }],
      hasNext: false,
    });
    expect(partsOf(newer.text)[1]).toEqual({ completed: [{ id: '0', errors }], hasNext: false });
    expect(older.text + newer.text).not.toContain('secret');
  });

  it('that ends before all has come says that the rest failed', async () => {
    const source = createSource<DeferredPart>();
    source.end();
    door.answerBy(() => deferTax(source));
    expect((await read(OLDER)).text).toContain('"INTERNAL"');
  });

  it('holds back a part that comes too late to leave, and all after it', async () => {
    door.answerBy(() => deferTax(createSource({ ...TAX, leaveBy: performance.now() - 1 })));
    const { text } = await read(NEWER);
    expect(text).not.toContain('CLEAN');
    expect(partsOf(text)[1]).toMatchObject({
      completed: [{ id: '0', errors: [{ extensions: { code: 'OVERLOADED' } }] }],
      hasNext: false,
    });
  });

  it('is refused as a whole when the first part is too late', async () => {
    const source = createSource(TAX);
    const late = deferTax(source);
    door.answerBy(() => ({ ...late, first: { ...late.first, leaveBy: performance.now() - 1 } }));
    const { status, headers, body } = await open(OLDER);
    expect([status, headers['retry-after'], (await body.text()).includes('Jin')]).toEqual([503, '1', false]);
    await source.left;
  });

  it.each([
    ['identity', null],
    ['gzip', createGunzip],
    ['br', createBrotliDecompress],
  ] as const)('leaves part by part, each when it is there, in %s', async (coding, createUnpack) => {
    const source = createSource<DeferredPart>();
    door.answerBy(() => deferTax(source));
    const { headers, body } = await open(OLDER, { 'accept-encoding': coding });
    expect(headers['content-encoding']).toBe(createUnpack ? coding : undefined);
    const pieces: AsyncIterable<Buffer> = createUnpack ? body.pipe<Transform>(createUnpack()) : body;
    let text = '';
    for await (const piece of pieces) {
      text += piece.toString();
      // Nothing more comes before the test says so: the first part was whole, and could be read.
      if (text.endsWith('"hasNext":true}\r\n---') && source.asked() === 1) source.push(TAX);
    }
    expect(partsOf(text)).toHaveLength(2);
  });

  it('is never compressed when a subject reads of itself', async () => {
    principal = { kind: 'subject', id: 'citizen', purpose: 'SELF_ACCESS', subjects: [] };
    door.answerBy(() => deferTax(createSource(TAX)));
    const { headers, body } = await open(OLDER, { 'accept-encoding': 'gzip, br' });
    principal = ANONYMOUS;
    expect(headers['content-encoding']).toBeUndefined();
    expect(partsOf(await body.text())).toHaveLength(2);
  });

  it('is made for nobody any more when the client has left', async () => {
    const source = createSource<DeferredPart>();
    door.answerBy(() => deferTax(source));
    const { body } = await open(OLDER);
    body.on('error', () => {}).destroy();
    await source.left;
    expect(door.heard[0]?.signal.aborted).toBe(true);
  });

  it('waits for a client that does not read', async () => {
    const last = 400;
    let made = 0;
    async function* endless(): AsyncGenerator<DeferredPart> {
      for (; made < last; made++)
        yield {
          id: String(made),
          data: { text: 'x'.repeat(200_000) },
          pending: made + 1 < last ? [{ id: String(made + 1), path: ['company'] }] : [],
        };
    }
    door.answerBy(() => deferTax(endless()));
    const socket = connect(Number(new URL(door.url).port), '127.0.0.1');
    await new Promise<void>((resolve) => {
      // The head has come, and nothing more is read.
      socket.once('data', () => resolve(void socket.pause()));
      socket.write(
        `POST /graphql HTTP/1.1\r\nhost: x\r\naccept: ${OLDER}\r\ncontent-type: application/json\r\n` +
          `content-length: 17\r\nconnection: close\r\n\r\n{"query":"{ a }"}`,
      );
    });
    // Other work goes on meanwhile: long enough to make all of it, if nothing held it back.
    for (let turn = 0; turn < 200; turn++)
      await (await request(`${new URL(door.url).origin}/health/live`)).body.dump();
    expect(made).toBeLessThan(last / 2);
    let bytes = 0;
    for await (const piece of socket) bytes += (piece as Buffer).length;
    expect(bytes).toBeGreaterThan((last - 1) * 200_000);
  });
});

describe('a client that reads no parts', () => {
  it.each(['application/json', '*/*', 'application/graphql-response+json', 'multipart/mixed;deferSpec=2'])(
    'such as one that accepts %s, is one for which nothing may be deferred',
    async (accept) => {
      door.answerBy(({ takes }) =>
        takes.parts ? deferTax(createSource(TAX)) : { data: { company: { name: 'Jin', ...TAX.data } } },
      );
      const { status, type, text } = await read(accept);
      expect([status, type?.includes('json')]).toEqual([200, true]);
      expect(JSON.parse(text)).toEqual({ data: { company: { name: 'Jin', ...TAX.data } } });
    },
  );

  it('is answered 500 by a gateway that defers all the same, which is told to end', async () => {
    const source = createSource(TAX);
    door.answerBy(() => deferTax(source));
    expect((await read('application/json')).status).toBe(500);
    await source.left;
  });
});

describe('an event stream', () => {
  it('gives one answer as one event', async () => {
    door.answerBy(() => ({ data: { a: 1 } }));
    const { status, type, text } = await read(EVENTS);
    expect([status, type]).toEqual([200, 'text/event-stream; charset=utf-8']);
    expect(text).toBe('event: next\ndata: {"data":{"a":1}}\n\nevent: complete\ndata:\n\n');
  });

  it('gives the parts of one answer as events', async () => {
    door.answerBy(() => deferTax(createSource(TAX)));
    const { text } = await read(EVENTS);
    expect(text.match(/^event: \w+$/gm)).toEqual(['event: next', 'event: next', 'event: complete']);
    expect(text).toContain('"path":["company"]');
  });

  it('gives an event for each answer of a subscription, and one for what ended it', async () => {
    const source = createSource<GatewayAnswer>(
      { data: { tick: 1 } },
      { data: { tick: 2 }, leaveBy: performance.now() - 1 },
      { data: { tick: 3 } },
    );
    source.fail(createError('AUDIT_UNAVAILABLE'));
    door.answerBy(() => ({ kind: 'events', answers: source }));
    const { text } = await read(EVENTS);
    const events = text.match(/(?<=^data: ).+$/gm)?.map((data) => JSON.parse(data));
    expect(events).toMatchObject([
      { data: { tick: 1 } },
      { errors: [{ extensions: { code: 'OVERLOADED' } }] },
      { data: { tick: 3 } },
      { errors: [{ extensions: { code: 'AUDIT_UNAVAILABLE' } }] },
    ]);
    expect(text.endsWith('event: complete\ndata:\n\n')).toBe(true);
  });

  it('is multipart in Apollo’s protocol for those who name that', async () => {
    const source = createSource<GatewayAnswer>({ data: { tick: 1 } });
    source.end();
    door.answerBy(() => ({ kind: 'events', answers: source }));
    const { type, text } = await read(
      'multipart/mixed;boundary=graphql;subscriptionSpec=1.0, application/json',
    );
    expect(type).toBe('multipart/mixed; boundary="graphql"; subscriptionSpec=1.0');
    expect(text).toContain('{"payload":{"data":{"tick":1}}}\r\n--graphql');
    expect(text.endsWith('\r\n--graphql--\r\n')).toBe(true);
  });

  it.each([
    [EVENTS, ':\n\n'],
    ['multipart/mixed;subscriptionSpec=1.0', '{}\r\n--graphql'],
  ])('says in silence that it is there: %s', async (accept, beat) => {
    const source = createSource<GatewayAnswer>();
    door.answerBy(() => ({ kind: 'events', answers: source }));
    const { body } = await open(accept);
    let text = '';
    for await (const piece of body) {
      text += String(piece);
      if (text.split(beat).length > 3) source.end();
    }
    expect(text).toContain(beat + (accept === EVENTS ? beat : ''));
    expect(source.asked()).toBe(1);
  });

  it('refuses what is refused in JSON, by its status', async () => {
    door.answerBy(() => ({ errors: [createError('INVALID_OPERATION').toJSON()] }));
    const wrong = await read(EVENTS);
    door.answerBy(() => ({ errors: [createError('RATE_LIMITED').toJSON()] }));
    const limited = await read(EVENTS);
    expect([wrong.status, limited.status]).toEqual([400, 429]);
    expect(wrong.type).toBe('application/graphql-response+json; charset=utf-8');
  });

  it('is not for those who do not read it: they are known before anything is asked', async () => {
    door.answerBy(({ takes }) =>
      takes.events ? { data: {} } : { errors: [createError('INVALID_OPERATION').toJSON()] },
    );
    expect((await read('application/graphql-response+json')).status).toBe(400);
    expect((await read(`application/json, ${EVENTS}`)).type).toContain('application/json');
  });
});

describe('a consumer', () => {
  it('may hold so many subscriptions open, and another one when one has ended', async () => {
    const narrow = await openFrontDoor({ subscriptionsPerConsumer: 2, streamLifeMs: 60_000 });
    const sources = [1, 2, 3].map((tick) => createSource<GatewayAnswer>({ data: { tick } }));
    const subscribe = (source: AsyncIterable<GatewayAnswer>) => {
      narrow.answerBy(() => ({ kind: 'events', answers: source }));
      return open(EVENTS, {}, narrow.url);
    };
    const [first, second, third] = sources as [(typeof sources)[0], (typeof sources)[0], (typeof sources)[0]];
    const held = [await subscribe(first), await subscribe(second)];
    const refused = await subscribe(third);
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '60']);
    expect(await refused.body.text()).toContain('RATE_LIMITED');
    await third.left;
    narrow.answerBy(() => deferTax(createSource(TAX)));
    expect(partsOf(await (await open(OLDER, {}, narrow.url)).body.text())).toHaveLength(2);
    first.end();
    await held[0]?.body.text();
    const again = await subscribe(createSource<GatewayAnswer>({ data: { tick: 4 } }));
    expect(again.status).toBe(200);
    for (const { body } of [...held.slice(1), again]) body.on('error', () => {}).destroy();
    await narrow.close();
  });
});

describe('an end that nobody asked for', () => {
  const cut = async (body: AsyncIterable<unknown>) => {
    for await (const _ of body);
  };

  it('cuts a stream after its life, so that its client asks again and is looked at again', async () => {
    const short = await openFrontDoor({ streamLifeMs: 50 });
    const source = createSource<GatewayAnswer>({ data: { tick: 1 } });
    short.answerBy(() => ({ kind: 'events', answers: source }));
    const { body } = await open(EVENTS, {}, short.url);
    await expect(cut(body)).rejects.toThrow();
    await source.left;
    await short.close();
  });

  it('at a shutdown comes to subscriptions at once, and to answers in parts when they are whole', async () => {
    const going = await openFrontDoor();
    const ticks = createSource<GatewayAnswer>({ data: { tick: 1 } });
    going.answerBy(() => ({ kind: 'events', answers: ticks }));
    const events = await open(EVENTS, {}, going.url);
    const parts = createSource<DeferredPart>();
    going.answerBy(() => deferTax(parts));
    const whole = await open(OLDER, {}, going.url);
    const closed = going.close(10_000);
    await expect(cut(events.body)).rejects.toThrow();
    await ticks.left;
    parts.push(TAX);
    expect(partsOf(await whole.body.text())).toHaveLength(2);
    await closed;
  });
});
