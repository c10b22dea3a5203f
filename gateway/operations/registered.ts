/**
 * Trusted documents: a consumer can be held to the operations that were registered for it, which it may name instead of
 * sending. What is not registered is refused before it is parsed: nothing is said of the schema, and no department is asked.
 */
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { createError } from '../../schema/errors.ts';
import type { Principal } from '../../schema/principal.ts';
import type { Registry } from './registered-store.ts';
import { operationId, readRegistry } from './registered-store.ts';

export interface AskedOperation {
  readonly consumer: string;
  /** The public is never held: it is nobody in particular. */
  readonly principal: Pick<Principal, 'kind'>;
  /** Empty when only an id was sent. */
  readonly query: string;
  /** The id under which it was registered; null when the client sent none. */
  readonly documentId: string | null;
}

export interface RegisteredOperations {
  /** Resolves when the store has been read once; never rejects: until it can be read, nobody is served who may be held. */
  readonly started: Promise<void>;
  /**
   * The text to run. Throws OPERATION_NOT_REGISTERED; BAD_REQUEST when id and text do not belong together; OVERLOADED when
   * it cannot be known whether the consumer may run it.
   */
  textOf(asked: AskedOperation): string;
  /** All that are registered, each text once; null when that cannot be known now. */
  texts(): readonly string[] | null;
  close(): Promise<void>;
}

export interface RegisteredOptions {
  readonly pool: Pool;
  readonly log: Logger;
  /** How often the store is asked whether anything changed; milliseconds. */
  readonly everyMs?: number;
  /** After so long without an answer of the store, whoever is held is refused; milliseconds. */
  readonly staleMs?: number;
  readonly now?: () => number;
}

/** For a gateway without a store: nobody is held, and nothing is registered. */
export const NOTHING_REGISTERED: RegisteredOperations = {
  started: Promise.resolve(),
  textOf({ query, documentId }) {
    if (documentId !== null && documentId !== operationId(query)) throw refusalOf(query);
    return query;
  },
  texts: () => [],
  close: () => Promise.resolve(),
};

export function createRegisteredOperations(options: RegisteredOptions): RegisteredOperations {
  const { pool, log, everyMs = 500, staleMs = 2_000 } = options;
  const now = options.now ?? (() => performance.now());
  let registry: Registry | null = null;
  let readAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  let isFailing = false;
  let reading = refresh();
  const started = reading;

  async function refresh(): Promise<void> {
    const askedAt = now();
    try {
      registry = (await readRegistry(pool, registry?.version ?? null)) ?? registry;
      readAt = askedAt;
      isFailing = false;
    } catch (error) {
      if (!isFailing) log.error({ err: error }, 'the registered operations could not be read');
      isFailing = true;
    }
    if (isClosed) return;
    timer = setTimeout(() => {
      reading = refresh();
    }, everyMs);
    timer.unref();
  }

  return {
    started,
    textOf({ consumer, principal, query, documentId }) {
      const isHeld = principal.kind !== 'public' && (registry?.held.has(consumer) ?? true);
      const isStale = now() - readAt > staleMs;
      // What was withdrawn in the meantime must not run: who is held waits until the store can be read again.
      if (isStale && (isHeld || documentId !== null))
        throw createError('OVERLOADED', { extensions: { retryAfter: 1 } });
      const own = registry?.operations.get(consumer);
      if (documentId !== null) {
        const text = own?.get(documentId);
        if (query !== '' && query !== text) {
          // A hash that is sent with its text, as for automatic registration, registers nothing.
          if (isHeld || documentId !== operationId(query)) throw refusalOf(query, isHeld);
          return query;
        }
        if (text === undefined) throw createError('OPERATION_NOT_REGISTERED');
        return text;
      }
      if (isHeld && own?.get(operationId(query)) !== query) throw createError('OPERATION_NOT_REGISTERED');
      return query;
    },
    texts() {
      if (!registry || now() - readAt > staleMs) return null;
      return [...new Set([...registry.operations.values()].flatMap((own) => [...own.values()]))];
    },
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await reading;
    },
  };
}

function refusalOf(query: string, isHeld = false) {
  return createError(query === '' || isHeld ? 'OPERATION_NOT_REGISTERED' : 'BAD_REQUEST');
}

/** The id by which a body names its operation: `documentId`, or the one that clients of persisted queries send. */
export function documentIdOf(body: {
  readonly documentId?: string | null | undefined;
  readonly extensions?: Readonly<Record<string, unknown>> | null | undefined;
}): string | null {
  if (typeof body.documentId === 'string') return body.documentId.replace(/^sha256:/, '');
  const persisted = body.extensions?.['persistedQuery'];
  if (typeof persisted !== 'object' || persisted === null || !('sha256Hash' in persisted)) return null;
  return typeof persisted.sha256Hash === 'string' ? persisted.sha256Hash : null;
}
