/** What a changed supergraph may do to rules, catalogue and registered operations while the gateway runs. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { request } from 'undici';
import {
  operationId,
  registerOperations,
  withdrawOperations,
} from '../gateway/operations/registered-store.ts';
import { loadLaw } from '../schema/law.ts';
import type { TestGateway } from './kit/gateway.ts';
import { startGateway } from './kit/gateway.ts';
import type { PlainSubgraphs } from './kit/plain-subgraphs.ts';
import { startPlainSubgraphs } from './kit/plain-subgraphs.ts';
import type { TestDatabases } from './kit/postgres.ts';
import { createTestDatabases } from './kit/postgres.ts';
import { hashOf, putFile, putGraph, readyWhen } from './kit/two-graphs.ts';

const REGISTERED = 'query Monthly { open }';
const POLICY = ' @policy(policies: [["a.grade"]])';

let subgraphs: PlainSubgraphs;
let databases: TestDatabases;
let pool: pg.Pool;
let gateway: TestGateway;
let sdl: string;

const catalogue = (publicity: 'PUBLIC' | 'NOT_PUBLIC', ids: readonly string[] = ['a.grade']) => ({
  law: loadLaw(),
  catalogues: [
    {
      version: publicity,
      items: ids.map((id) => ({
        id,
        name: { zh: id, en: id },
        category: 'service',
        publicity,
        sharing: 'CONDITIONAL',
        use: publicity === 'PUBLIC' ? [] : [{ principals: ['auditor'] }],
        basis: ['test'],
        sensitivity: 'L3',
        retention: 60,
      })),
    },
  ],
});
const putCatalogue = (value: object) => putFile(gateway, 'catalogue.json', JSON.stringify(value));

beforeAll(async () => {
  subgraphs = await startPlainSubgraphs({
    a: {
      sdl: `type Query { open: String grade: String${POLICY} }`,
      resolvers: { Query: { open: () => 'open', grade: () => 'A' } },
    },
  });
  sdl = subgraphs.supergraph;
  databases = createTestDatabases();
  const url = await databases.url('platform');
  gateway = await startGateway({
    supergraph: sdl,
    catalogue: catalogue('NOT_PUBLIC'),
    environment: { JINXIN_PLATFORM_URL: url, JINXIN_SUPERGRAPH_POLL_MS: '10' },
  });
  pool = new pg.Pool({ connectionString: url, max: 1 });
}, 60_000);

afterAll(async () => {
  await gateway.close();
  await pool.end();
  await subgraphs.close();
  await databases.close();
});

/** Both files as they were at the start, and served. */
beforeEach(async () => {
  await putCatalogue(catalogue('NOT_PUBLIC'));
  await putGraph(gateway, sdl);
  await readyWhen(gateway.url, ({ hash, reason }) => hash === hashOf(sdl) && reason === null);
  while ((await ask('{ grade }')) !== null);
});

/** What the public reads; null when it is denied, undefined when the operation is not valid. */
async function ask(query: string): Promise<unknown> {
  const response = await request(gateway.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  const { data } = (await response.body.json()) as { data?: Record<string, unknown> };
  return data && Object.values(data)[0];
}
const refusal = async (text: string) => {
  expect(text).not.toBe(sdl);
  await putGraph(gateway, text);
  const { hash, reason } = await readyWhen(gateway.url, (answer) => answer.reason !== null);
  expect(hash).toBe(hashOf(sdl));
  return reason;
};

describe('a changed supergraph', () => {
  it('is not taken when a field would be shown without its policy', async () => {
    expect(await refusal(sdl.replace(POLICY, ''))).toBe('UNGUARDED');
    expect(await ask('{ grade }')).toBeNull();
  });

  it('is not taken when it names an item that the catalogue lacks', async () => {
    expect(await refusal(sdl.replaceAll('a.grade', 'a.other'))).toBe('CATALOGUE');
  });

  it('is taken together with the catalogue that knows its items', async () => {
    const next = sdl.replaceAll('a.grade', 'a.other');
    await putGraph(gateway, next);
    await putCatalogue(catalogue('PUBLIC', ['a.other']));
    await readyWhen(gateway.url, ({ hash, reason }) => hash === hashOf(next) && reason === null);
    expect(await ask('{ grade }')).toBe('A');
  });

  it('is not taken when a registered operation would break, until that is withdrawn', async () => {
    await registerOperations(pool, 'bank-a', [{ query: REGISTERED, name: 'Monthly' }], false);
    const next = sdl.replace(/\bopen: String/, 'opened: String');
    // The gateway reads what is registered within half a second; what it knows of decides.
    let reason = null;
    for (let at = 0; reason !== 'BROKEN_OPERATIONS' && at < 20; at++) {
      await putGraph(gateway, sdl);
      await readyWhen(gateway.url, ({ hash }) => hash === hashOf(sdl));
      const changed = `${next}\n# ${at}`;
      await putGraph(gateway, changed);
      ({ reason } = await readyWhen(
        gateway.url,
        (one) => one.reason !== null || one.hash === hashOf(changed),
      ));
    }
    expect(reason).toBe('BROKEN_OPERATIONS');
    expect(await ask('{ open }')).toBe('open');
    await withdrawOperations(pool, 'bank-a', [operationId(REGISTERED)]);
    for (let at = 0; reason !== null && at < 20; at++) {
      await putGraph(gateway, `${next}\n# again ${at}`);
      const changed = hashOf(`${next}\n# again ${at}`);
      const before = performance.now();
      ({ reason } = await readyWhen(
        gateway.url,
        ({ hash }) => hash === changed || performance.now() - before > 2_000,
      ));
    }
    expect(await ask('{ opened }')).toBeNull();
    expect(await ask('{ open }')).toBeUndefined();
  }, 60_000);
});

describe('a changed catalogue', () => {
  it('is taken though the supergraph is the same', async () => {
    await putCatalogue(catalogue('PUBLIC'));
    let grade = await ask('{ grade }');
    for (const until = performance.now() + 30_000; grade !== 'A' && performance.now() < until;)
      grade = await ask('{ grade }');
    expect(grade).toBe('A');
  });

  it.each([
    ['is half written', '{"law":'],
    ['is of another form', '{}'],
    ['lacks an item of the graph', JSON.stringify(catalogue('NOT_PUBLIC', ['a.other']))],
  ])('is not taken when it %s', async (_, text) => {
    await putFile(gateway, 'catalogue.json', text);
    const { reason, status } = await readyWhen(gateway.url, (answer) => answer.reason !== null);
    expect([reason, status]).toEqual(['CATALOGUE', 200]);
    expect(await ask('{ grade }')).toBeNull();
  });
});
