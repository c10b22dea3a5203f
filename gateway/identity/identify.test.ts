import { describe, expect, it } from '@jest/globals';
import { exportJWK, SignJWT } from 'jose';
import type { KeyObject } from 'node:crypto';
import { createHmac, createPublicKey, generateKeyPairSync, sign as signBytes } from 'node:crypto';
import { pino } from 'pino';
import { sandboxKey } from '../../schema/keys.ts';
import { sandboxIssuer } from '../../schema/sandbox-tokens.ts';
import { NOBODY } from './certificates.ts';
import { createIdentify } from './identify.ts';
import { createReadToken } from './tokens.ts';

const identify = createIdentify(
  { kind: 'sandbox' },
  { now: Date.now, elapsed: () => performance.now(), clients: NOBODY, log: pino({ level: 'silent' }) },
);
const key = sandboxKey('issuer');
const now = Math.floor(Date.now() / 1000);
const CLAIMS = {
  iss: sandboxIssuer.issuer,
  aud: sandboxIssuer.audience,
  sub: 'bank-x',
  iat: now,
  exp: now + 600,
  jinxin: { kind: 'bank', purposes: ['LOAN_ORIGINATION', 'LOAN_MONITORING'] },
};
const HEADER = { alg: 'EdDSA', kid: 'sandbox-1' };

const encode = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
/** A token with any header and payload, signed with the right key as long as the algorithm is EdDSA. */
function forge(header: object | string, claims: object | string, by = key): string {
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${signBytes(null, Buffer.from(input), by).toString('base64url')}`;
}
const as = (token: string, purpose?: string, scheme = 'Bearer') =>
  identify({ authorization: `${scheme} ${token}`, purpose, certificate: null });
const none = { authorization: undefined, purpose: undefined, certificate: null };
const code = (outcome: Promise<unknown>) =>
  outcome.then(
    () => 'let in',
    (error: { extensions: { code: string } }) => error.extensions.code,
  );

describe('an access token', () => {
  it('that holds is who it says, for its first purpose or for the one of the header', async () => {
    expect(await as(forge(HEADER, CLAIMS))).toEqual({
      kind: 'bank',
      id: 'bank-x',
      purpose: 'LOAN_ORIGINATION',
      subjects: [],
    });
    expect((await as(forge(HEADER, CLAIMS), 'LOAN_MONITORING', 'bearer')).purpose).toBe('LOAN_MONITORING');
    for (const purpose of ['AUDIT', '', 'loan_origination', 'LOAN_MONITORING, LOAN_ORIGINATION', '__proto__'])
      expect(await code(as(forge(HEADER, CLAIMS), purpose))).toBe('PURPOSE_NOT_GRANTED');
  });

  const own = generateKeyPairSync('ed25519');
  const pem = createPublicKey(key).export({ type: 'spki', format: 'pem' }) as string;
  const hmac = (header: object, secret: string | Buffer) => {
    const input = `${encode(header)}.${encode(CLAIMS)}`;
    return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
  };
  const raw = Buffer.from((createPublicKey(key).export({ format: 'jwk' }) as { x: string }).x, 'base64url');
  const without = (claim: string) =>
    Object.fromEntries(Object.entries(CLAIMS).filter(([name]) => name !== claim));
  it.each<[string, () => string | Promise<string>]>([
    ['without a signature', () => `${encode({ alg: 'none' })}.${encode(CLAIMS)}.`],
    ['with the algorithm None', () => `${encode({ alg: 'None', kid: 'sandbox-1' })}.${encode(CLAIMS)}.AA`],
    ['keyed with our public key as a secret (PEM)', () => hmac({ alg: 'HS256', kid: 'sandbox-1' }, pem)],
    ['keyed with our public key as a secret (raw)', () => hmac({ alg: 'HS256', kid: 'sandbox-1' }, raw)],
    [
      'that brings its own key',
      async () =>
        new SignJWT(CLAIMS)
          .setProtectedHeader({ ...HEADER, jwk: await exportJWK(own.publicKey) })
          .sign(own.privateKey),
    ],
    [
      'that names where its key lies',
      () =>
        forge(
          { ...HEADER, jku: 'https://evil.invalid/jwks', x5u: 'https://evil.invalid' },
          CLAIMS,
          own.privateKey,
        ),
    ],
    [
      'with a critical extension that nobody knows',
      () => forge({ ...HEADER, crit: ['http://evil.invalid/x'], 'http://evil.invalid/x': 1 }, CLAIMS),
    ],
    ['with an unencoded payload', () => forge({ ...HEADER, crit: ['b64'], b64: false }, CLAIMS)],
    ['of an unknown key id', () => forge({ ...HEADER, kid: 'other' }, CLAIMS)],
    ['with a key id that is a path', () => forge({ ...HEADER, kid: '../../etc/passwd' }, CLAIMS)],
    ['of another issuer', () => forge(HEADER, { ...CLAIMS, iss: 'https://evil.invalid' })],
    ['for somebody else', () => forge(HEADER, { ...CLAIMS, aud: ['other'] })],
    ['that has expired', () => forge(HEADER, { ...CLAIMS, exp: now - 600 })],
    ['that never expires', () => forge(HEADER, without('exp'))],
    ['that is not yet valid', () => forge(HEADER, { ...CLAIMS, nbf: now + 600 })],
    ['with an expiry that is no number', () => forge(HEADER, { ...CLAIMS, exp: 'never' })],
    ['of nobody', () => forge(HEADER, without('sub'))],
    ['of an endless name', () => forge(HEADER, { ...CLAIMS, sub: 'x'.repeat(129) })],
    ['without claims of ours', () => forge(HEADER, without('jinxin'))],
    ['of an unknown kind', () => forge(HEADER, { ...CLAIMS, jinxin: { ...CLAIMS.jinxin, kind: 'root' } })],
    ['without a purpose', () => forge(HEADER, { ...CLAIMS, jinxin: { ...CLAIMS.jinxin, purposes: [] } })],
    ['whose claims are a list', () => forge(HEADER, [CLAIMS])],
    ['whose claims are no JSON', () => forge(HEADER, 'x')],
    ['in two pieces', () => `${encode(HEADER)}.${encode(CLAIMS)}`],
    ['in five pieces, encrypted', () => `${encode({ alg: 'dir', enc: 'A256GCM' })}.a.b.c.d`],
    ['with something behind it', () => `${forge(HEADER, CLAIMS)} x`],
    ['changed in one place', () => forge(HEADER, CLAIMS).replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A'))],
  ])('%s is nobody’s', async (_, make) => {
    expect(await code(as(await make()))).toBe('UNAUTHENTICATED');
  });

  it('with a claim or a parameter twice is nobody’s: another reader would have read another one', async () => {
    const twice = JSON.stringify(CLAIMS).replace('"sub":"bank-x"', '"sub":"bank-x","s\\u0075b":"bank-y"');
    expect(await code(as(forge(HEADER, twice)))).toBe('UNAUTHENTICATED');
    const header = '{"alg":"EdDSA","kid":"sandbox-1","kid":"sandbox-1"}';
    expect(await code(as(forge(header, CLAIMS)))).toBe('UNAUTHENTICATED');
  });

  it('that held before holds as long as its time and its key do, and no longer', async () => {
    let time = now;
    const keys = [createPublicKey(key), createPublicKey(own.privateKey)];
    let held: KeyObject | null = keys[0] ?? null;
    const read = createReadToken({
      ...sandboxIssuer,
      findKey: () => Promise.resolve(held),
      now: () => time * 1_000,
    });
    const early = forge(HEADER, { ...CLAIMS, nbf: now + 300 });
    const token = forge(HEADER, CLAIMS);
    const holds = async (text: string) => (await read(text)) !== null;
    expect([await holds(token), await holds(token), await holds(early)]).toEqual([true, true, false]);
    time = now + 301;
    expect([await holds(token), await holds(early)]).toEqual([true, true]);
    held = keys[1] ?? null;
    expect([await holds(token), await holds(early)]).toEqual([false, false]);
    held = null;
    expect(await holds(token)).toBe(false);
    held = keys[0] ?? null;
    time = now + 629;
    expect(await holds(token)).toBe(true);
    time = now + 631;
    expect([await holds(token), await holds(early)]).toEqual([false, false]);
    time = now - 200;
    expect([await holds(token), await holds(early)]).toEqual([false, false]);
  });

  it('is a bearer’s or none', async () => {
    expect(await code(as(forge(HEADER, CLAIMS), undefined, 'Basic'))).toBe('UNAUTHENTICATED');
    expect(await code(identify({ ...none, authorization: 'Bearer' }))).toBe('UNAUTHENTICATED');
    expect((await identify(none)).kind).toBe('public');
    expect(await code(identify({ ...none, purpose: 'AUDIT' }))).toBe('PURPOSE_NOT_GRANTED');
  });
});
