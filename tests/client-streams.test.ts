/** Apollo Client, urql and graphql-sse read what comes in parts and events, from a gateway that the test plays. */
import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client';
import type { Incremental } from '@apollo/client/incremental';
import { Defer20220824Handler, GraphQL17Alpha9Handler } from '@apollo/client/incremental';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Client, createRequest, fetchExchange } from '@urql/core';
import { createClient } from 'graphql-sse';
import { createError } from '../schema/errors.ts';
import type { DeferredPart, GatewayAnswer } from '../gateway/http/graphql-over-http.ts';
import type { FrontDoor, Source } from './kit/front-door.ts';
import { createSource, deferTax, openFrontDoor } from './kit/front-door.ts';
import { CLIENTS } from './kit/graphql-clients.ts';

const DEFERRED = `query { company { __typename id name ... @defer(label: "Tax") { tax { status } } } }`;
const TICKS = 'subscription { tick }';
const TAX: DeferredPart = { id: '0', data: { tax: { __typename: 'TaxRecord', status: 'CLEAN' } } };
const NAME = { __typename: 'Company', id: '1', name: 'Jin' };

let door: FrontDoor;
/** Comes when the test says so. */
let parts: Source<DeferredPart>;
beforeAll(async () => {
  door = await openFrontDoor({ beatMs: 20 });
});
afterAll(() => door.close());
beforeEach(() => {
  parts = createSource();
  door.answerBy(({ query }) => (query.includes('@defer') ? deferTax(parts) : ticks()));
});

const ticks = () => {
  const answers = createSource<GatewayAnswer>({ data: { tick: 1 } }, { data: { tick: 2 } });
  answers.end();
  return { kind: 'events', answers } as const;
};

interface Seen {
  readonly data: unknown;
  readonly codes: readonly unknown[];
}
/** What a client shows its user of an answer in parts, each time there is something new. */
type Watch = (url: string, onSeen: (seen: Seen) => void) => Promise<void>;

const watchByApollo =
  (incrementalHandler: Defer20220824Handler | GraphQL17Alpha9Handler): Watch =>
  async (url, onSeen) => {
    const client = new ApolloClient({
      link: new HttpLink({ uri: url }),
      cache: new InMemoryCache(),
      // Its own types do not hold under exact optional properties.
      incrementalHandler: incrementalHandler as unknown as Incremental.Handler,
    });
    const watched = client.watchQuery({ query: gql(DEFERRED), errorPolicy: 'all' });
    await new Promise<void>((resolve) => {
      watched.subscribe(({ data, error, loading }) => {
        if (data === undefined && error === undefined) return;
        const errors =
          error && 'errors' in error ? (error.errors as { extensions?: { code?: string } }[]) : [];
        onSeen({ data, codes: errors.map(({ extensions }) => extensions?.code) });
        if (!loading) resolve();
      });
    });
    client.stop();
  };

const watchByUrql: Watch = async (url, onSeen) => {
  const client = new Client({ url, exchanges: [fetchExchange], preferGetMethod: false });
  await new Promise<void>((resolve) => {
    client.executeQuery(createRequest(DEFERRED, {})).subscribe(({ data, error, hasNext }) => {
      onSeen({ data, codes: error?.graphQLErrors.map(({ extensions }) => extensions['code']) ?? [] });
      if (!hasNext) resolve();
    });
  });
};

describe.each<[string, Watch, string]>([
  ['Apollo Client, format of 2022', watchByApollo(new Defer20220824Handler()), 'multipart/mixed'],
  ['Apollo Client, format v0.2', watchByApollo(new GraphQL17Alpha9Handler()), 'multipart/mixed'],
  ['urql', watchByUrql, 'text/event-stream'],
])('%s', (_, watch) => {
  it('shows the first part while the second is to come, and then both', async () => {
    const seen: Seen[] = [];
    await watch(door.url, (now) => {
      // Nothing but what is shown lets the second part go: the first had been shown alone.
      if (seen.length === 0) parts.push(TAX);
      seen.push(now);
    });
    expect(seen[0]).toEqual({ data: { company: NAME }, codes: [] });
    expect(seen.at(-1)).toEqual({ data: { company: { ...NAME, ...TAX.data } }, codes: [] });
  });

  it('shows that a part failed, and why', async () => {
    const seen: Seen[] = [];
    await watch(door.url, (now) => {
      if (seen.length === 0) parts.fail(createError('OVERLOADED'));
      seen.push(now);
    });
    expect(seen.at(-1)).toEqual({ data: { company: NAME }, codes: ['OVERLOADED'] });
  });
});

/** Every event that a client shows its user of a subscription, until it is over. */
type Subscribe = (url: string, query: string) => Promise<readonly unknown[]>;

const subscribeByApollo: Subscribe = async (url, query) => {
  const client = new ApolloClient({ link: new HttpLink({ uri: url }), cache: new InMemoryCache() });
  const events: unknown[] = [];
  await new Promise<void>((complete) => {
    client
      .subscribe({ query: gql(query), errorPolicy: 'all' })
      .subscribe({ next: ({ data, error }) => events.push(data ?? error), complete });
  });
  client.stop();
  return events;
};

const subscribeByUrql: Subscribe = async (url, query) => {
  const client = new Client({ url, exchanges: [fetchExchange], fetchSubscriptions: true });
  const events: unknown[] = [];
  await new Promise<void>((resolve) => {
    client.executeSubscription(createRequest(query, {})).subscribe(({ data, error, hasNext }) => {
      // It tells the end as the last event once more.
      if (hasNext) events.push(data ?? error);
      else resolve();
    });
  });
  return events;
};

const subscribeByGraphqlSse: Subscribe = async (url, query) => {
  const client = createClient({ url, retryAttempts: 0 });
  const events: unknown[] = [];
  for await (const { data, errors } of client.iterate({ query })) events.push(data ?? errors);
  client.dispose();
  return events;
};

describe.each<[string, Subscribe]>([
  ['Apollo Client', subscribeByApollo],
  ['urql', subscribeByUrql],
  ['graphql-sse', subscribeByGraphqlSse],
])('%s', (_, subscribe) => {
  it('is given every event of a subscription, beats or no beats, and then its end', async () => {
    expect(await subscribe(door.url, TICKS)).toEqual([{ tick: 1 }, { tick: 2 }]);
  });
});

describe('graphql-sse', () => {
  it('is given a query’s answer as one event, and a deferred one part by part', async () => {
    door.answerBy(({ query }) => (query === DEFERRED ? deferTax(parts) : { data: { name: 'Jin' } }));
    expect(await subscribeByGraphqlSse(door.url, '{ name }')).toEqual([{ name: 'Jin' }]);
    const client = createClient({ url: door.url, retryAttempts: 0 });
    const seen: object[] = [];
    for await (const part of client.iterate({ query: DEFERRED })) if (seen.push(part) === 1) parts.push(TAX);
    expect(seen).toMatchObject([
      { data: { company: NAME }, hasNext: true },
      { incremental: [{ data: TAX.data, path: ['company'] }], hasNext: false },
    ]);
    client.dispose();
  });

  it('is told by its status that it is refused', async () => {
    door.answerBy(() => ({ errors: [createError('INVALID_OPERATION').toJSON()] }));
    await expect(subscribeByGraphqlSse(door.url, 'subscription { nothing }')).rejects.toThrow('400');
  });

  it('ends the work for it when it unsubscribes', async () => {
    const answers = createSource<GatewayAnswer>({ data: { tick: 1 } });
    door.answerBy(() => ({ kind: 'events', answers }));
    const client = createClient({ url: door.url, retryAttempts: 0 });
    for await (const { data } of client.iterate({ query: TICKS })) {
      expect(data).toEqual({ tick: 1 });
      break;
    }
    await answers.left;
    expect(door.heard[0]?.signal.aborted).toBe(true);
  });
});

describe.each(CLIENTS)('$name', ({ ask }) => {
  it('ends the work for it when its user gives a query up', async () => {
    const stop = new AbortController();
    const ended = new Promise<void>((resolve) => {
      door.answerBy(async ({ signal }) => {
        signal.addEventListener('abort', () => resolve());
        stop.abort();
        await ended;
        return { data: { name: 'Jin' } };
      });
    });
    const given = await ask(door.url, { query: '{ name }', signal: stop.signal }).catch(
      (error: Error) => error.name,
    );
    await ended;
    expect(JSON.stringify(given)).not.toContain('Jin');
    expect(door.heard[0]?.signal.aborted).toBe(true);
  });
});
