/** Event streams and subscriptions, byte by byte, from a gateway that the test plays; and streams that end before their end. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createError } from '../../schema/errors.ts';
import type { FrontDoor } from '../../tests/kit/front-door.ts';
import { ask, createSource, deferTax, openFrontDoor, partsOf, read } from '../../tests/kit/front-door.ts';
import type { DeferredPart, EventsAnswer, GatewayAnswer } from './graphql-over-http.ts';

const OLDER = 'multipart/mixed;deferSpec=20220824, application/json';
const EVENTS = 'text/event-stream';
const TAX: DeferredPart = { id: '0', data: { tax: { status: 'CLEAN' } } };

let door: FrontDoor;
beforeAll(async () => {
  door = await openFrontDoor({ beatMs: 20 });
});
afterAll(() => door.close());

describe('an event stream', () => {
  it('gives one answer as one event', async () => {
    door.answerBy(() => ({ data: { a: 1 } }));
    const { status, type, text } = await read(door.url, EVENTS);
    expect([status, type]).toEqual([200, 'text/event-stream; charset=utf-8']);
    expect(text).toBe('event: next\ndata: {"data":{"a":1}}\n\nevent: complete\ndata:\n\n');
  });

  it('gives the parts of one answer as events', async () => {
    door.answerBy(() => deferTax(createSource(TAX)));
    const { text } = await read(door.url, EVENTS);
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
    const { text } = await read(door.url, EVENTS);
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
      door.url,
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
    const { body } = await ask(door.url, accept);
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
    const wrong = await read(door.url, EVENTS);
    door.answerBy(() => ({ errors: [createError('RATE_LIMITED').toJSON()] }));
    const limited = await read(door.url, EVENTS);
    expect([wrong.status, limited.status]).toEqual([400, 429]);
    expect(wrong.type).toBe('application/graphql-response+json; charset=utf-8');
  });

  it('is not for those who do not read it: they are known before anything is asked', async () => {
    door.answerBy(({ takes }) =>
      takes.events ? { data: {} } : { errors: [createError('INVALID_OPERATION').toJSON()] },
    );
    expect((await read(door.url, 'application/graphql-response+json')).status).toBe(400);
    expect((await read(door.url, `application/json, ${EVENTS}`)).type).toContain('application/json');
  });
});

describe('a consumer', () => {
  it('may hold so many subscriptions open, and another one when one has ended', async () => {
    const narrow = await openFrontDoor({ subscriptionsPerConsumer: 2, streamLifeMs: 60_000 });
    const sources = [1, 2, 3].map((tick) => createSource<GatewayAnswer>({ data: { tick } }));
    const subscribe = (source: EventsAnswer['answers']) => {
      narrow.answerBy(() => ({ kind: 'events', answers: source }));
      return ask(narrow.url, EVENTS);
    };
    const [first, second, third] = sources as [(typeof sources)[0], (typeof sources)[0], (typeof sources)[0]];
    const held = [await subscribe(first), await subscribe(second)];
    const refused = await subscribe(third);
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '60']);
    expect(await refused.body.text()).toContain('RATE_LIMITED');
    await third.left;
    narrow.answerBy(() => deferTax(createSource(TAX)));
    expect(partsOf(await (await ask(narrow.url, OLDER)).body.text())).toHaveLength(2);
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
    const { body } = await ask(short.url, EVENTS);
    await expect(cut(body)).rejects.toThrow();
    await source.left;
    await short.close();
  });

  it('at a shutdown comes to subscriptions at once, before or after they begin, and to answers in parts when they are whole', async () => {
    const going = await openFrontDoor();
    const ticks = createSource<GatewayAnswer>({ data: { tick: 1 } });
    going.answerBy(() => ({ kind: 'events', answers: ticks }));
    const events = await ask(going.url, EVENTS);
    const parts = createSource<DeferredPart>();
    going.answerBy(() => deferTax(parts));
    const whole = await ask(going.url, OLDER);
    const late = createSource<GatewayAnswer>();
    let begin = () => {};
    const arrived = new Promise<void>((resolve) => {
      going.answerBy(async () => {
        resolve();
        await new Promise<void>((go) => (begin = go));
        return { kind: 'events', answers: late };
      });
    });
    const waiting = ask(going.url, EVENTS);
    await arrived;
    const closed = going.close(10_000);
    await expect(cut(events.body)).rejects.toThrow();
    await ticks.left;
    parts.push(TAX);
    expect(partsOf(await whole.body.text())).toHaveLength(2);
    begin();
    const { status, headers, body } = await waiting;
    expect([status, headers['retry-after']]).toEqual([503, '1']);
    await Promise.all([body.dump(), late.left, closed]);
  });
});
