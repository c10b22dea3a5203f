/** A department's door: it opens to what the gateway has signed, for this department, once. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createPublicKey } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { pino } from 'pino';
import { request } from 'undici';
import { systemClock } from '../adapters/clock.ts';
import { sandboxBytes, sandboxKey } from '../schema/keys.ts';
import type { Principal } from '../schema/principal.ts';
import { PRINCIPAL_HEADER, signPrincipal } from '../schema/principal.ts';
import { createSubjectIds } from '../schema/subject-id.ts';
import { discoverDepartments } from './discover.ts';
import type { RunningSubgraphs } from './serve.ts';
import { serveSubgraphs } from './serve.ts';

const key = sandboxKey('gateway');
const bank: Principal = { kind: 'bank', id: 'bank-a', purpose: 'LOAN_ORIGINATION', subjects: [] };
const SDL = JSON.stringify({ query: '{ _service { sdl } }' });
const ENTITIES = JSON.stringify({
  query: 'query ($of: [_Any!]!) { _entities(representations: $of) { __typename } }',
  variables: { of: [{ __typename: 'CreditSubject', id: 'x' }] },
});
let running: RunningSubgraphs;
let url: string;

beforeAll(async () => {
  running = await serveSubgraphs({
    departments: await discoverDepartments(['finance']),
    listen: { host: '127.0.0.1', port: 0 },
    environment: {},
    gatewayKey: createPublicKey(key),
    subjectIds: createSubjectIds(new Map([[1, sandboxBytes('subject', 64)]])),
    clock: systemClock,
    observer: { called: () => {}, breaker: () => {}, foreignRows: () => {}, quarantined: () => {} },
    log: pino({ level: 'silent' }),
    softDeadlineMs: 2_000,
  });
  url = running.urls['finance'] ?? '';
});
afterAll(() => running.close());

const signed = (body: string, subgraph = 'finance', now = Date.now(), by = key) =>
  signPrincipal(by, { subgraph, principal: bank, items: [] }, body, now);
async function send(body: string | Buffer, headers: Record<string, string>, to = url) {
  const answer = await request(to, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
  return { status: answer.statusCode, text: await answer.body.text() };
}
const ask = (body: string, principal?: string) =>
  send(body, principal === undefined ? {} : { [PRINCIPAL_HEADER]: principal });

describe('a department', () => {
  it.each([
    ['_service', SDL],
    ['_entities', ENTITIES],
  ])('answers %s to a request that the gateway signed, and to no other', async (_, body) => {
    const other = `${body} `;
    const forged = [
      undefined,
      '',
      'x.y.z',
      signed(other),
      signed(body, 'tax'),
      signed(body, 'finance', Date.now() - 120_000),
      signed(body, 'finance', Date.now() + 120_000),
      signed(body, 'finance', Date.now(), sandboxKey('somebody else')),
      `${signed(body)}, ${signed(body)}`,
    ];
    for (const principal of forged) {
      const { status, text } = await ask(body, principal);
      expect([status, text.includes('UNAUTHENTICATED'), text.includes('data')]).toEqual([401, true, false]);
    }
    expect((await ask(body, signed(body))).status).toBe(200);
  });

  it('answers a signed request once', async () => {
    const principal = signed(SDL);
    expect((await ask(SDL, principal)).text).toContain('CreditSubject');
    const again = await ask(SDL, principal);
    expect([again.status, again.text.includes('CreditSubject')]).toEqual([401, false]);
    const atOnce = signed(SDL);
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(SDL, atOnce)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it('whose clock differs by some seconds refuses nobody', async () => {
    for (const seconds of [-20, 20])
      expect((await ask(SDL, signed(SDL, 'finance', Date.now() + seconds * 1_000))).status).toBe(200);
  });

  it('takes nothing but JSON by POST at its own address', async () => {
    const principal = () => ({ [PRINCIPAL_HEADER]: signed(SDL) });
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/graphql',
      'multipart/form-data',
    ])
      expect((await send(SDL, { ...principal(), 'content-type': type })).status).toBe(415);
    expect((await send(gzipSync(SDL), { ...principal(), 'content-encoding': 'gzip' })).status).toBe(401);
    for (const path of ['/', '/graphql', '/finance', '/finance/graphql/x', '/tax/graphql', '/finance/sdl'])
      expect((await send(SDL, principal(), new URL(path, url).href)).status).toBe(404);
    for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS'] as const) {
      const query = `?query=${encodeURIComponent('{ _service { sdl } }')}`;
      const answer = await request(`${url}${query}`, { method, headers: principal() });
      expect([answer.statusCode, (await answer.body.text()).includes('CreditSubject')]).toEqual([404, false]);
    }
    const empty = await request(url, { method: 'POST', headers: { [PRINCIPAL_HEADER]: signed('') } });
    expect([empty.statusCode, await empty.body.json()]).toMatchObject([
      200,
      { errors: [{ extensions: { code: 'BAD_REQUEST' } }] },
    ]);
  });
});
