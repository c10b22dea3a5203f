/** The front door of a gateway whose answers the test makes by hand. */
import { pino } from 'pino';
import { request } from 'undici';
import type { DeferredAnswer, GatewayReply, GatewayRequest } from '../../gateway/http/graphql-over-http.ts';
import type { HttpOptions } from '../../gateway/http/server.ts';
import { createHttp } from '../../gateway/http/server.ts';
import { ANONYMOUS } from '../../schema/principal.ts';

export interface FrontDoor {
  readonly url: string;
  /** What the gateway behind it was asked. */
  readonly heard: readonly GatewayRequest[];
  /** What it answers from now on. */
  answerBy(answer: (request: GatewayRequest) => GatewayReply | Promise<GatewayReply>): void;
  /** Cuts what is still open after `graceMs`, such as connections that clients made ahead and never used; 100 by default. */
  close(graceMs?: number): Promise<void>;
}

export async function openFrontDoor(options: Partial<HttpOptions> = {}): Promise<FrontDoor> {
  const heard: GatewayRequest[] = [];
  let answer: (request: GatewayRequest) => GatewayReply | Promise<GatewayReply> = () => ({ data: {} });
  const app = createHttp({
    identify: () => Promise.resolve(ANONYMOUS),
    answer: async (asked) => {
      heard.push(asked);
      return answer(asked);
    },
    isReady: () => true,
    metrics: () => Promise.resolve(''),
    observe: () => {},
    explorer: { html: '', contentSecurityPolicy: '' },
    bodyLimit: 10_000,
    log: pino({ level: 'silent' }),
    ...options,
  });
  const address = await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    url: `${address}/graphql`,
    heard,
    answerBy(behind) {
      heard.length = 0;
      answer = behind;
    },
    async close(graceMs = 100) {
      const cut = setTimeout(() => app.server.closeAllConnections(), graceMs);
      await app.close();
      clearTimeout(cut);
    },
  };
}

/** What comes when the test says so. */
export interface Source<T> extends AsyncIterator<T, undefined> {
  push(value: T): void;
  end(): void;
  fail(error: Error): void;
  /** How often it was asked for the next. */
  readonly asked: () => number;
  /** Resolves when nobody waits for more. */
  readonly left: Promise<void>;
}

export function createSource<T>(...values: readonly T[]): Source<T> {
  const ready: (() => Promise<IteratorResult<T, undefined>>)[] = [];
  const waiting: (() => void)[] = [];
  let asked = 0;
  let leave = () => {};
  const left = new Promise<void>((resolve) => (leave = resolve));
  const put = (result: () => Promise<IteratorResult<T, undefined>>) => {
    ready.push(result);
    waiting.shift()?.();
  };
  const push = (value: T) => put(() => Promise.resolve({ done: false, value }));
  for (const value of values) push(value);
  return {
    push,
    end: () => put(() => Promise.resolve({ done: true, value: undefined })),
    fail: (error) => put(() => Promise.reject(error)),
    asked: () => asked,
    left,
    async next() {
      asked++;
      if (ready.length === 0) await new Promise<void>((resolve) => waiting.push(resolve));
      return (ready.shift() as () => Promise<IteratorResult<T, undefined>>)();
    },
    return() {
      leave();
      return Promise.resolve({ done: true, value: undefined });
    },
  };
}

/** One company: its name at once, its tax later, as the client's fragment `Tax` asked. */
export function deferTax(parts: DeferredAnswer['parts']): DeferredAnswer {
  return {
    kind: 'deferred',
    first: { data: { company: { __typename: 'Company', id: '1', name: 'Jin' } } },
    pending: [{ id: '0', path: ['company'], label: 'Tax' }],
    parts,
  };
}

/** Asks, and gives back the answer as soon as its head has come. */
export async function ask(url: string, accept: string, headers: Readonly<Record<string, string>> = {}) {
  const response = await request(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept, ...headers },
    body: '{"query":"{ a }"}',
  });
  const { statusCode: status, headers: told, body } = response;
  return { status, headers: told, type: told['content-type'], body };
}

/** The same to its end; without the beats of an event stream, which come as they will. */
export async function read(url: string, accept: string) {
  const { body, ...head } = await ask(url, accept);
  return { ...head, text: (await body.text()).replaceAll(/^:\n\n/gm, '') };
}

/** What the parts of a multipart body hold. */
export function partsOf(text: string) {
  return text
    .split(/\r\n---(?:--\r\n)?/)
    .filter((part) => part !== '')
    .map((part) => JSON.parse(part.split('\r\n\r\n')[1] ?? ''));
}
