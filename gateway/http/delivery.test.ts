import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readAccept } from './accept.ts';
import { toDelivery } from './delivery.ts';

const JSON_TYPE = 'application/json; charset=utf-8';
const GRAPHQL = 'application/graphql-response+json; charset=utf-8';
const OLDER = 'deferSpec=20220824';
const NEWER = 'incrementalSpec=v0.2';

/** As the clients really send it. */
const APOLLO_DEFER_NEWER =
  'multipart/mixed;incrementalSpec=v0.2,application/graphql-response+json,application/json;q=0.9';
const APOLLO_DEFER_OLDER =
  'multipart/mixed;deferSpec=20220824,application/graphql-response+json,application/json;q=0.9';
const APOLLO_SUBSCRIPTION =
  'multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/graphql-response+json,application/json;q=0.9';
const URQL =
  'application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed';
const URQL_SUBSCRIPTION = 'text/event-stream, multipart/mixed';

describe('what a client reads, by its Accept header', () => {
  it.each<[string | undefined, string, string | null, string | null]>([
    [undefined, JSON_TYPE, null, null],
    ['', JSON_TYPE, null, null],
    ['*/*', JSON_TYPE, null, null],
    ['application/*', JSON_TYPE, null, null],
    ['text/html', JSON_TYPE, null, null],
    ['application/graphql-response+json', GRAPHQL, null, null],
    ['APPLICATION/GraphQL-Response+JSON', GRAPHQL, null, null],
    ['application/json, application/graphql-response+json', GRAPHQL, null, null],
    ['application/json, application/graphql-response+json;q=0.5', JSON_TYPE, null, null],
    ['application/graphql-response+json;q=0, */*', JSON_TYPE, null, null],
    [APOLLO_DEFER_NEWER, GRAPHQL, `multipart ${NEWER}`, null],
    [APOLLO_DEFER_OLDER, GRAPHQL, `multipart ${OLDER}`, null],
    [APOLLO_SUBSCRIPTION, GRAPHQL, null, 'multipart'],
    [URQL, GRAPHQL, `event-stream ${OLDER}`, 'event-stream'],
    [URQL_SUBSCRIPTION, GRAPHQL, `event-stream ${OLDER}`, 'event-stream'],
    ['text/event-stream', GRAPHQL, `event-stream ${OLDER}`, 'event-stream'],
    ['text/event-stream;q=0', JSON_TYPE, null, null],
    ['multipart/mixed', JSON_TYPE, `multipart ${OLDER}`, null],
    [
      'multipart/mixed;q=0.1, text/event-stream;q=0.2, */*',
      JSON_TYPE,
      `event-stream ${OLDER}`,
      'event-stream',
    ],
    ['multipart/mixed; IncrementalSpec="v0.2"', JSON_TYPE, `multipart ${NEWER}`, null],
    [
      'multipart/mixed; incrementalSpec=v9, multipart/mixed; deferSpec=20220824',
      JSON_TYPE,
      `multipart ${OLDER}`,
      null,
    ],
    ['multipart/mixed; deferSpec=20300101', JSON_TYPE, null, null],
    ['multipart/mixed; boundary="a,b;c"; deferSpec=20220824', JSON_TYPE, `multipart ${OLDER}`, null],
    ['multipart/mixed; subscriptionSpec=2.0', JSON_TYPE, null, null],
  ])('%s', (accept, type, parts, events) => {
    const delivery = toDelivery(accept);
    expect(delivery.type).toBe(type);
    expect(delivery.parts && `${delivery.parts.envelope} ${delivery.parts.format}`).toBe(parts);
    expect(delivery.events).toBe(events);
  });

  it('is an event stream for one answer only where nothing else would do', () => {
    const streams = ['text/event-stream', URQL_SUBSCRIPTION, 'text/event-stream, application/json;q=0'];
    const plain = [URQL, APOLLO_SUBSCRIPTION, 'text/event-stream, */*;q=0.1', '*/*', undefined];
    expect(streams.map((accept) => toDelivery(accept).isEventStream)).toEqual([true, true, true]);
    expect(plain.some((accept) => toDelivery(accept).isEventStream)).toBe(false);
  });

  it('is found in any header whatever, by weights between 0 and 1 that never rise', () => {
    const sign = fc.constantFrom('a', '/', '*', ',', ';', 'q', '=', '"', '\\', ' ', '0', '.', '1', '-');
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: sign })), (accept) => {
        const weights = readAccept(accept).map(({ weight }) => weight);
        expect(weights.every((weight) => weight > 0 && weight <= 1)).toBe(true);
        expect(weights).toEqual([...weights].sort((one, other) => other - one));
        expect(toDelivery(accept).type).toMatch(/^application\//);
      }),
    );
  });
});
