/** What is wrong with a request is said, costs nobody anything, and gives nothing away. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SignJWT } from 'jose';
import { request } from 'undici';
import { sandboxKey } from '../schema/keys.ts';
import { issueSandboxToken, sandboxIssuer } from '../schema/sandbox-tokens.ts';
import { createSubjectIds } from '../schema/subject-id.ts';
import { sandboxBytes } from '../schema/keys.ts';
import type { Platform } from './kit/platform.ts';
import { startPlatform } from './kit/platform.ts';

let platform: Platform;
let before: Readonly<Record<string, number>>;
beforeAll(async () => {
  platform = await startPlatform({ scale: 50 });
  before = platform.simulators.calls();
}, 60_000);
afterAll(async () => {
  // Whatever was asked below, no department heard of it.
  const spent = platform.callsSince(before);
  await platform.close();
  if (Object.values(spent).some((calls) => calls > 0))
    throw new Error(`departments were asked: ${JSON.stringify(spent)}`);
});

const CHECK = 'query ($code: CreditCode!) { creditCheck(input: { subject: $code }) { completeness } }';

describe('a malformed credit code', () => {
  it.each([
    ['91120101MA9TYN016X', 'CHECK_DIGIT'],
    ['91120101MA9TYN016', 'LENGTH'],
    ['9112010IMA9TYN016Y', 'ALPHABET'],
  ])('%s is refused by the name of the failed check, as a variable and as a literal', async (code, check) => {
    for (const question of [
      { query: CHECK, variables: { code } },
      { query: `{ creditCheck(input: { subject: "${code}" }) { completeness } }` },
    ]) {
      const { data, errors } = await platform.ask({ as: 'bank-a', ...question });
      expect({ data, extensions: errors[0]?.extensions }).toMatchObject({
        data: undefined,
        extensions: { code: 'INVALID_CREDIT_CODE', check },
      });
    }
  });
});

describe('a token', () => {
  const query = '{ creditSubject(code: "91120101MA9TYN016Y") { tax { grade } } }';
  const withToken = (token: string) => platform.ask({ query, headers: { authorization: `Bearer ${token}` } });
  const subjectIds = createSubjectIds(new Map([[1, sandboxBytes('subject', 64)]]));
  const sign = (change: (jwt: SignJWT) => SignJWT, key = sandboxKey('issuer')) =>
    change(
      new SignJWT({ jinxin: { kind: 'auditor', purposes: ['AUDIT'], subjects: [] } })
        .setProtectedHeader({ alg: 'EdDSA', kid: 'sandbox-1' })
        .setSubject('x')
        .setIssuer(sandboxIssuer.issuer)
        .setAudience(sandboxIssuer.audience)
        .setExpirationTime('1h'),
    ).sign(key);

  it('that is expired, foreign or forged is 401, never the public and never more', async () => {
    const good = await issueSandboxToken('bank-a', subjectIds);
    const [header = '', payload = '', signature = ''] = good.split('.');
    const forged = Buffer.from(
      JSON.stringify({
        ...(JSON.parse(Buffer.from(payload, 'base64url').toString()) as object),
        sub: 'bank-b',
      }),
    ).toString('base64url');
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    const tokens = [
      'nonsense',
      await issueSandboxToken('bank-a', subjectIds, -3_600),
      await sign((jwt) => jwt.setIssuer('https://elsewhere.invalid')),
      await sign((jwt) => jwt.setAudience('elsewhere')),
      await sign((jwt) => jwt, sandboxKey('somebody else')),
      `${header}.${forged}.${signature}`,
      `${none}.${payload}.`,
      `${good}A`.padEnd(9_000, 'A'),
    ];
    for (const token of tokens) {
      const { status, data, errors } = await withToken(token);
      expect({ status, data, code: errors[0]?.extensions['code'] }).toEqual({
        status: 401,
        data: undefined,
        code: 'UNAUTHENTICATED',
      });
    }
  });

  it('that is not there makes the asker the public: what is not public is FORBIDDEN, path by path, the rest is answered', async () => {
    const { status, data, errors } = await platform.ask({
      query: '{ creditSubject(code: "91120101MA9TYN016Y") { name tax { grade g: grades { year } } } }',
    });
    expect({ status, data }).toEqual({
      status: 200,
      data: { creditSubject: { name: '天津津信样例（集团）有限公司', tax: null } },
    });
    expect(
      errors.map(({ path, extensions }) => [path?.join('.'), extensions['code'], extensions['item']]),
    ).toEqual([
      ['creditSubject.tax.g', 'FORBIDDEN', 'tax.grade'],
      ['creditSubject.tax.grade', 'FORBIDDEN', 'tax.grade'],
    ]);
  });

  it('does not grant another purpose than its own', async () => {
    const { status, errors } = await platform.ask({
      query,
      as: 'bank-b',
      headers: { 'jinxin-purpose': 'LOAN_MONITORING' },
    });
    expect({ status, code: errors[0]?.extensions['code'] }).toEqual({
      status: 403,
      code: 'PURPOSE_NOT_GRANTED',
    });
  });
});

describe('an unknown field', () => {
  it('is answered with one constant text to those who may not introspect', async () => {
    const ask = (query: string) => platform.ask({ query });
    const answers = await Promise.all(
      [
        '{ nope }',
        '{ creditSubjec(code: "x") { id } }',
        '{ creditSubject { id } }',
        '{ __schema { types { name } } }',
        '{ creditSubject(code: "91120101MA9TYN016Y") { taxx } }',
      ].map(ask),
    );
    expect(new Set(answers.map(({ data, errors }) => JSON.stringify({ data, errors }))).size).toBe(1);
  });

  it('is named to those who may', async () => {
    const { errors } = await platform.ask({ as: 'bank-a', query: '{ nope }' });
    expect(errors[0]?.message).toContain('nope');
    const { data } = await platform.ask({ as: 'bank-a', query: '{ __schema { queryType { name } } }' });
    expect(data.__schema.queryType.name).toBe('Query');
  });
});

describe('a body', () => {
  it('over the limit is 413', async () => {
    const { statusCode, body } = await request(platform.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ __typename }', variables: { padding: 'x'.repeat(300_000) } }),
    });
    expect(statusCode).toBe(413);
    expect(await body.json()).toMatchObject({ errors: [{ extensions: { code: 'REQUEST_TOO_LARGE' } }] });
  });

  it('that is a bomb of fragments is refused before anything is planned', async () => {
    const levels = Array.from(
      { length: 18 },
      (_, at) => `fragment F${at} on CreditSubject { a: name ...F${at + 1} b: name ...F${at + 1} }`,
    );
    const query = `{ creditSubject(code: "91120101MA9TYN016Y") { ...F0 } } ${levels.join(' ')} fragment F18 on CreditSubject { name }`;
    const { errors } = await platform.ask({ as: 'bank-a', query });
    expect(errors[0]?.extensions).toMatchObject({ code: 'LIMIT_EXCEEDED', limit: 'selections' });
  });
});

describe('a subgraph', () => {
  it('answers nobody but the gateway', async () => {
    const { body, statusCode } = await request(platform.url.replace('/graphql', '/health/ready'));
    expect([statusCode, await body.json()]).toMatchObject([200, { status: 'ready' }]);
    const direct = await request(platform.subgraphUrls['tax'] ?? '', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ _service { sdl } }' }),
    });
    expect([direct.statusCode, await direct.body.json()]).toMatchObject([
      401,
      { errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] },
    ]);
  });
});
