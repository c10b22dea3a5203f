/** Answers in parts, byte by byte, from a gateway that the test plays. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { GraphQLError } from 'graphql';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip } from 'node:zlib';
import { request } from 'undici';
import { createError } from '../../schema/errors.ts';
import type { Principal } from '../../schema/principal.ts';
import { ANONYMOUS } from '../../schema/principal.ts';
import type { FrontDoor } from '../../tests/kit/front-door.ts';
import { ask, createSource, deferTax, openFrontDoor, partsOf, read } from '../../tests/kit/front-door.ts';
import type { DeferredPart } from './graphql-over-http.ts';

const OLDER = 'multipart/mixed;deferSpec=20220824, application/json';
const NEWER = 'multipart/mixed; incrementalSpec=v0.2';
const TAX: DeferredPart = { id: '0', data: { tax: { status: 'CLEAN' } } };

let door: FrontDoor;
let principal: Principal = ANONYMOUS;
beforeAll(async () => {
  door = await openFrontDoor({ identify: () => Promise.resolve(principal), beatMs: 20 });
});
afterAll(() => door.close());

describe('an answer in parts', () => {
  it('is multipart in the format of 2022 for those who name it, byte by byte', async () => {
    door.answerBy(() => deferTax(createSource(TAX)));
    const { status, type, text } = await read(door.url, OLDER);
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
    const { type, text } = await read(door.url, NEWER);
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
    ['an error of somebody else', new GraphQLError('secret'), 'INTERNAL'],
  ])('says of %s only what the table says, in either format', async (_, error, code) => {
    const fail = () => {
      const source = createSource<DeferredPart>();
      source.fail(error);
      door.answerBy(() => deferTax(source));
    };
    const errors = [expect.objectContaining({ extensions: { code } })];
    fail();
    const older = await read(door.url, OLDER);
    fail();
    const newer = await read(door.url, NEWER);
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
    expect((await read(door.url, OLDER)).text).toContain('"INTERNAL"');
  });

  it('holds back a part that comes too late to leave, and all after it', async () => {
    door.answerBy(() => deferTax(createSource({ ...TAX, leaveBy: performance.now() - 1 })));
    const { text } = await read(door.url, NEWER);
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
    const { status, headers, body } = await ask(door.url, OLDER);
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
    const { headers, body } = await ask(door.url, OLDER, { 'accept-encoding': coding });
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
    const { headers, body } = await ask(door.url, OLDER, { 'accept-encoding': 'gzip, br' });
    principal = ANONYMOUS;
    expect(headers['content-encoding']).toBeUndefined();
    expect(partsOf(await body.text())).toHaveLength(2);
  });

  it('is made for nobody any more when the client has left', async () => {
    const source = createSource<DeferredPart>();
    door.answerBy(() => deferTax(source));
    const { body } = await ask(door.url, OLDER);
    body.on('error', () => {}).destroy();
    await source.left;
    expect(door.heard[0]?.signal.aborted).toBe(true);
  });

  it('is let go of when the client left before there was one', async () => {
    const source = createSource<DeferredPart>(TAX);
    const stop = new AbortController();
    door.answerBy(async ({ signal }) => {
      const left = once(signal, 'abort');
      stop.abort();
      await left;
      return deferTax(source);
    });
    const headers = { 'content-type': 'application/json', accept: OLDER };
    const given = request(door.url, {
      method: 'POST',
      headers,
      body: '{"query":"{ a }"}',
      signal: stop.signal,
    });
    await expect(given).rejects.toThrow();
    await source.left;
    expect(source.asked()).toBe(0);
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
      const { status, type, text } = await read(door.url, accept);
      expect([status, type?.includes('json')]).toEqual([200, true]);
      expect(JSON.parse(text)).toEqual({ data: { company: { name: 'Jin', ...TAX.data } } });
    },
  );

  it('is answered 500 by a gateway that defers all the same, which is told to end', async () => {
    const source = createSource(TAX);
    door.answerBy(() => deferTax(source));
    expect((await read(door.url, 'application/json')).status).toBe(500);
    await source.left;
  });
});
