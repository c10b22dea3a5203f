import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createPublicKey } from 'node:crypto';
import { sandboxKey } from './keys.ts';
import type { Principal } from './principal.ts';
import { PrincipalError, signPrincipal, verifyPrincipal } from './principal.ts';

const key = sandboxKey('gateway');
const publicKey = createPublicKey(key);
const bank: Principal = { kind: 'bank', id: 'bank-a', purpose: 'LOAN_ORIGINATION', subjects: [] };
const NOW = Date.UTC(2026, 0, 1);
const BODY = '{"query":"{ __typename }"}';
const token = signPrincipal(key, { principal: bank, items: ['tax.grade'] }, BODY, NOW);

describe('the signed principal', () => {
  it('is read back as it was signed', () => {
    expect(verifyPrincipal(publicKey, token, BODY, NOW)).toMatchObject({
      principal: bank,
      items: ['tax.grade'],
    });
  });

  it('holds for this body only, for thirty seconds, under this key', () => {
    const read = (body: string, now: number, by = publicKey) => verifyPrincipal(by, token, body, now);
    expect(() => read(`${BODY} `, NOW)).toThrow('signed for another body');
    expect(() => read(BODY, NOW + 31_000)).toThrow('expired');
    expect(() => read(BODY, NOW - 61_000)).toThrow('expired');
    expect(() => read(BODY, NOW, createPublicKey(sandboxKey('another')))).toThrow('wrong signature');
  });

  it('refuses every change of a single character', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: token.length - 1 }),
        fc.constantFrom('A', 'z', '0', '-', '.'),
        (at, letter) => {
          fc.pre(token[at] !== letter);
          const changed = token.slice(0, at) + letter + token.slice(at + 1);
          // The last character of base64url may hold bits that mean nothing.
          fc.pre(
            !Buffer.from(changed, 'base64url').equals(Buffer.from(token, 'base64url')) ||
              changed.split('.').length !== 3,
          );
          expect(() => verifyPrincipal(publicKey, changed, BODY, NOW)).toThrow(PrincipalError);
        },
      ),
    );
  });

  it.each(['', 'a.b', 'a.b.c', `${token}.x`, `eyJhbGciOiJub25lIn0.${token.split('.')[1] ?? ''}.`])(
    'refuses %p',
    (forged) => {
      expect(() => verifyPrincipal(publicKey, forged, BODY, NOW)).toThrow(PrincipalError);
    },
  );
});
