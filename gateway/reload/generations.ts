/**
 * The graph that is served, and those before it that still answer. A request belongs to one generation from its begin to its
 * end; a generation is closed when its last request has left.
 */
import type { Logger } from 'pino';
import type { GatewayAnswer, GatewayRequest } from '../http/graphql-over-http.ts';

export interface Generation {
  readonly answer: (request: GatewayRequest) => Promise<GatewayAnswer>;
  close(): Promise<void>;
}

export interface Generations<G extends Generation> {
  current(): G;
  answer(request: GatewayRequest): Promise<GatewayAnswer>;
  /** From now on `next` takes the requests. */
  swap(next: G): void;
  /** Resolves when at most so many old ones still answer; a request has a deadline, so it does. */
  leftBut(most: number): Promise<void>;
  /** How many are open, the current one among them. */
  open(): number;
  /** Closes all of them. */
  close(): Promise<void>;
}

interface Serving<G> {
  readonly generation: G;
  requests: number;
  isOld: boolean;
}

export function createGenerations<G extends Generation>(first: G, log: Logger): Generations<G> {
  let current = serving(first);
  const open = new Set([current]);
  const closing = new Set<Promise<void>>();
  let wake: (() => void)[] = [];

  function closeIfLeft(one: Serving<G>): void {
    if (!one.isOld || one.requests > 0 || !open.has(one)) return;
    open.delete(one);
    const closed = one.generation
      .close()
      .catch((error: unknown) => log.warn({ err: error }, 'an old supergraph did not close in order'))
      .finally(() => {
        closing.delete(closed);
        for (const call of wake.splice(0)) call();
      });
    closing.add(closed);
  }

  return {
    current: () => current.generation,
    async answer(request) {
      const one = current;
      one.requests += 1;
      try {
        return await one.generation.answer(request);
      } finally {
        one.requests -= 1;
        closeIfLeft(one);
      }
    },
    swap(next) {
      const old = current;
      current = serving(next);
      open.add(current);
      old.isOld = true;
      closeIfLeft(old);
    },
    async leftBut(most) {
      while (open.size - 1 + closing.size > most) await new Promise<void>((resolve) => wake.push(resolve));
    },
    open: () => open.size,
    async close() {
      await Promise.all([...[...open].map(({ generation }) => generation.close()), ...closing]);
      wake = [];
      open.clear();
    },
  };
}

function serving<G>(generation: G): Serving<G> {
  return { generation, requests: 0, isOld: false };
}
