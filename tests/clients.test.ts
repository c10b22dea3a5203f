/** The same scenario through Apollo Client, urql and graphql-request, as their users would play it against the sandbox. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { request } from 'undici';
import { createPool } from '../adapters/postgres/pool.ts';
import { operationId, registerOperations } from '../gateway/operations/registered-store.ts';
import type { PersonaName } from '../schema/sandbox-tokens.ts';
import { SAMPLE_COMPANY_CODE } from '../schema/sandbox-tokens.ts';
import { CLIENTS } from './kit/graphql-clients.ts';
import type { Platform } from './kit/platform.ts';
import { startPlatform } from './kit/platform.ts';

const NAME = 'query Name($code: CreditCode!) { creditSubject(code: $code) { code name } }';
const TAX =
  'query Tax($code: CreditCode!) { creditSubject(code: $code) { name tax { isGradeA taxPaid { year } } } }';
const PREPARE = 'mutation Prepare($input: PrepareConsentInput!) { prepareConsent(input: $input) { state } }';
const REGISTERED = 'query Registered($code: CreditCode!) { creditSubject(code: $code) { name } }';
const variables = { code: SAMPLE_COMPANY_CODE };

let platform: Platform;
let name: string;

beforeAll(async () => {
  platform = await startPlatform({ scale: 60 });
  name = platform.population.find(({ code }) => code === SAMPLE_COMPANY_CODE)?.name ?? '';
  const pool = createPool({
    url: await platform.databaseUrl('platform'),
    max: 1,
    applicationName: 'test',
    statementTimeoutMs: 2_000,
    log: pino({ level: 'silent' }),
  });
  await registerOperations(pool, 'bank-a', [{ query: REGISTERED, name: 'Registered' }], null);
  await pool.end();
  await untilRegistered();
}, 120_000);
afterAll(async () => {
  await platform.close();
});

/** The gateway looks every half second whether something new was registered. */
async function untilRegistered(): Promise<void> {
  const until = Date.now() + 10_000;
  while (Date.now() < until) {
    const response = await request(platform.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(await as('bank-a')) },
      body: JSON.stringify({ documentId: operationId(REGISTERED), variables }),
    });
    await response.body.dump();
    if (response.statusCode === 200) return;
  }
  throw new Error('the gateway did not read what was registered');
}
const as = async (persona: PersonaName) => ({ authorization: `Bearer ${await platform.token(persona)}` });

describe.each(CLIENTS)('$name', ({ name: client, ask }) => {
  it('gets the answer to a query with variables', async () => {
    const headers = await as('bank-a');
    expect(await ask(platform.url, { query: NAME, variables, headers })).toEqual({
      status: 200,
      data: expect.objectContaining({ creditSubject: expect.objectContaining({ name }) }),
      codes: [],
      failure: null,
    });
  });

  it('gets what may be seen, and beside it an error for what may not', async () => {
    const answer = await ask(platform.url, { query: TAX, variables });
    const tax = { isGradeA: expect.any(Boolean), taxPaid: null };
    expect(answer).toMatchObject({
      status: 200,
      data: { creditSubject: { name, tax } },
      codes: ['FORBIDDEN'],
    });
  });

  it('is told that its token does not hold, by status and by code', async () => {
    const headers = { authorization: 'Bearer nonsense' };
    expect(await ask(platform.url, { query: NAME, variables, headers })).toMatchObject({
      status: 401,
      codes: ['UNAUTHENTICATED'],
    });
  });

  it('is told that its token does not grant the purpose', async () => {
    const headers = { ...(await as('bank-b')), 'jinxin-purpose': 'LOAN_MONITORING' };
    expect(await ask(platform.url, { query: NAME, variables, headers })).toMatchObject({
      status: 403,
      codes: ['PURPOSE_NOT_GRANTED'],
    });
  });

  it('is told that its operation is wrong', async () => {
    const answer = await ask(platform.url, { query: 'query { nothing }', headers: await as('bank-a') });
    expect(answer).toMatchObject({ data: undefined, codes: ['INVALID_OPERATION'] });
  });

  it('carries a mutation out', async () => {
    const input = { code: SAMPLE_COMPANY_CODE, product: 'xyd-standard', purpose: 'LOAN_ORIGINATION' };
    const headers = await as('bank-b');
    expect(await ask(platform.url, { query: PREPARE, variables: { input }, headers })).toMatchObject({
      status: 200,
      data: { prepareConsent: { state: 'OPEN' } },
      codes: [],
    });
  });

  it('is refused a query by GET, and no department is asked', async () => {
    const before = platform.simulators.calls();
    const answer = await ask(platform.url, {
      query: NAME,
      variables,
      headers: await as('bank-a'),
      method: 'GET',
    });
    // Apollo Client names the type of a body that is not there, and is refused for that.
    const [status, code] =
      client === 'Apollo Client' ? [415, 'UNSUPPORTED_MEDIA_TYPE'] : [405, 'BAD_REQUEST'];
    expect(answer).toMatchObject({ status, data: undefined, codes: [code] });
    expect(Object.values(platform.callsSince(before)).every((calls) => calls === 0)).toBe(true);
  });

  it('names a registered operation by its hash, and another bank may not', async () => {
    const documentId = operationId(REGISTERED);
    const question = { query: REGISTERED, variables, documentId };
    expect(await ask(platform.url, { ...question, headers: await as('bank-a') })).toMatchObject({
      status: 200,
      data: { creditSubject: { name } },
    });
    expect(await ask(platform.url, { ...question, headers: await as('bank-b') })).toMatchObject({
      status: 403,
      codes: ['OPERATION_NOT_REGISTERED'],
    });
  });
});
