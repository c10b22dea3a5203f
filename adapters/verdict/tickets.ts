/** Questions that a system has accepted and not answered yet, so that asking again later does not ask it again. */
import { createHmac } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';

export type Question = Readonly<Record<string, string>>;

/** Equal for equal questions, different for others, and worthless to whoever has not the key (HMAC-SM3, 64 hex digits). */
export function referenceOf(key: Uint8Array, question: Question): string {
  const parts = Object.entries(question).sort(([one], [other]) => (one < other ? -1 : 1));
  return createHmac('sm3', key).update(JSON.stringify(parts)).digest('hex');
}

export interface OpenTickets {
  get(reference: string): string | undefined;
  keep(reference: string, ticket: string): void;
  /** Forgets the ticket, unless another one was issued for the question meanwhile. */
  forget(reference: string, ticket: string): void;
}

/** At most `most` tickets, each for `keptMs` of the clock: the system throws its answers away as well. */
export function createOpenTickets(options: { most: number; keptMs: number }, clock: Clock): OpenTickets {
  const tickets = new LRUCache<string, string>({
    max: options.most,
    ttl: options.keptMs,
    ttlResolution: 0,
    perf: { now: () => clock.now() },
  });
  return {
    get: (reference) => tickets.get(reference),
    keep: (reference, ticket) => void tickets.set(reference, ticket),
    forget(reference, ticket) {
      if (tickets.peek(reference) === ticket) tickets.delete(reference);
    },
  };
}
