import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Pool } from 'pg';
import { pino } from 'pino';
import { migrate } from '../../adapters/postgres/migrate.ts';
import { createPool } from '../../adapters/postgres/pool.ts';
import { createTestDatabases } from '../../tests/kit/postgres.ts';
import type { AskedOperation, RegisteredOperations } from './registered.ts';
import { createRegisteredOperations, documentIdOf, NOTHING_REGISTERED } from './registered.ts';
import {
  listOperations,
  operationId,
  REGISTERED_MIGRATIONS,
  registerOperations,
  withdrawOperations,
} from './registered-store.ts';

const databases = createTestDatabases();
const log = pino({ level: 'silent' });
const KNOWN = '{ known }';
const OTHER = '{ other }';
let pool: Pool;

beforeAll(async () => {
  pool = createPool({ url: await databases.url('registered'), max: 4, applicationName: 'test', log });
  await migrate(pool, 'operations', REGISTERED_MIGRATIONS);
});
afterAll(async () => {
  await pool.end();
  await databases.close();
});
beforeEach(() => pool.query('TRUNCATE gateway.consumer, gateway.registered_operation'));

const asked = (over: Partial<AskedOperation>): AskedOperation => ({
  consumer: 'bank-a',
  principal: { kind: 'bank' },
  query: '',
  documentId: null,
  ...over,
});

async function withRegistered(
  work: (
    ask: (over: Partial<AskedOperation>) => string,
    registered: RegisteredOperations,
  ) => Promise<void> | void,
  options: { now?: () => number; everyMs?: number } = {},
) {
  const registered = createRegisteredOperations({ pool, log, everyMs: 60_000, ...options });
  await registered.started;
  try {
    await work((over) => {
      try {
        return registered.textOf(asked(over));
      } catch (error) {
        return String((error as { extensions: Record<string, unknown> }).extensions['code']);
      }
    }, registered);
  } finally {
    await registered.close();
  }
}

describe('a consumer that is held to its registered operations', () => {
  beforeEach(() => registerOperations(pool, 'bank-a', [{ query: KNOWN, name: null }], true));

  it('may send one or name it, and nothing else', async () => {
    await withRegistered((ask) => {
      expect(ask({ query: KNOWN })).toBe(KNOWN);
      expect(ask({ documentId: operationId(KNOWN) })).toBe(KNOWN);
      expect(ask({ query: KNOWN, documentId: operationId(KNOWN) })).toBe(KNOWN);
      for (const refused of [
        { query: OTHER },
        { query: `${KNOWN} ` },
        { query: '{ not graphql' },
        { documentId: operationId(OTHER) },
        { documentId: '__proto__' },
        { query: OTHER, documentId: operationId(OTHER) },
        { query: OTHER, documentId: operationId(KNOWN) },
        { query: KNOWN, documentId: operationId(OTHER) },
      ])
        expect(ask(refused)).toBe('OPERATION_NOT_REGISTERED');
    });
  });

  it('changes nothing for others, who cannot name its operations either', async () => {
    await withRegistered((ask) => {
      expect(ask({ consumer: 'bank-b', query: OTHER })).toBe(OTHER);
      expect(ask({ consumer: 'bank-b', documentId: operationId(KNOWN) })).toBe('OPERATION_NOT_REGISTERED');
      expect(ask({ consumer: 'bank-a', principal: { kind: 'public' }, query: OTHER })).toBe(OTHER);
    });
  });

  it('is refused when the store has not been read for too long; what was withdrawn must not run', async () => {
    let now = 0;
    await withRegistered(
      (ask) => {
        now = 1_999;
        expect(ask({ query: KNOWN })).toBe(KNOWN);
        now = 2_001;
        expect(ask({ query: KNOWN })).toBe('OVERLOADED');
        expect(ask({ documentId: operationId(KNOWN) })).toBe('OVERLOADED');
        expect(ask({ consumer: 'bank-b', query: OTHER })).toBe(OTHER);
      },
      { now: () => now },
    );
  });

  it('loses what is withdrawn as soon as the store is read again', async () => {
    await withRegistered(
      async (ask) => {
        expect(await withdrawOperations(pool, 'bank-a', [operationId(KNOWN), 'nope'])).toBe(1);
        const until = performance.now() + 1_000;
        while (ask({ query: KNOWN }) === KNOWN && performance.now() < until)
          await new Promise((resolve) => setImmediate(resolve));
        expect(ask({ query: KNOWN })).toBe('OPERATION_NOT_REGISTERED');
      },
      { everyMs: 20 },
    );
  });

  it('is listed with what it may run, and may be released again', async () => {
    expect(await listOperations(pool, 'bank-a')).toMatchObject([
      { consumer: 'bank-a', id: operationId(KNOWN), registeredOnly: true },
    ]);
    await registerOperations(pool, 'bank-a', [], false);
    await withRegistered((ask) => expect(ask({ query: OTHER })).toBe(OTHER));
  });
});

describe('a store that cannot be read', () => {
  it('leaves nobody served but the public, since anybody may be held', async () => {
    await pool.query('ALTER TABLE gateway.registered_version RENAME TO elsewhere');
    try {
      await withRegistered((ask) => {
        expect(ask({ query: KNOWN })).toBe('OVERLOADED');
        expect(ask({ principal: { kind: 'public' }, query: KNOWN })).toBe(KNOWN);
      });
    } finally {
      await pool.query('ALTER TABLE gateway.elsewhere RENAME TO registered_version');
    }
  });
});

describe('a hash that comes with its text', () => {
  it('registers nothing, and must be that of the text', async () => {
    await withRegistered((ask) => {
      expect(ask({ query: KNOWN, documentId: operationId(KNOWN) })).toBe(KNOWN);
      expect(ask({ query: KNOWN, documentId: operationId(OTHER) })).toBe('BAD_REQUEST');
      expect(ask({ documentId: operationId(KNOWN) })).toBe('OPERATION_NOT_REGISTERED');
    });
    expect(await listOperations(pool, null)).toEqual([]);
    const { textOf } = NOTHING_REGISTERED;
    expect(textOf(asked({ query: KNOWN, documentId: operationId(KNOWN) }))).toBe(KNOWN);
    expect(() => textOf(asked({ documentId: operationId(KNOWN) }))).toThrow(/registered/);
  });
});

describe('the id of an operation', () => {
  it.each([
    [{ documentId: 'abc' }, 'abc'],
    [{ documentId: 'sha256:abc' }, 'abc'],
    [{ extensions: { persistedQuery: { version: 1, sha256Hash: 'abc' } } }, 'abc'],
    [{ extensions: { persistedQuery: 'abc' } }, null],
    [{ extensions: { persistedQuery: { sha256Hash: 1 } } }, null],
    [{}, null],
  ])('of %j is %p', (body, id) => {
    expect(documentIdOf(body)).toBe(id);
  });
});
