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
const GRANT = { subgraph: 'tax', principal: bank, items: ['tax.grade'] };
const read = (signed: string, body = BODY, now = NOW, subgraph = 'tax', by = publicKey) =>
  verifyPrincipal(by, signed, { subgraph, body }, now);
const token = signPrincipal(key, GRANT, BODY, NOW);

describe('the signed principal', () => {
  it('is read back as it was signed', () => {
    expect(read(token)).toMatchObject({ aud: 'tax', principal: bank, items: ['tax.grade'] });
  });

  it('holds for this body only, at this subgraph, for thirty seconds, under this key', () => {
    const other = createPublicKey(sandboxKey('another'));
    expect(() => read(token, `${BODY} `)).toThrow('signed for another body');
    expect(() => read(token, BODY, NOW, 'courts')).toThrow('signed for another subgraph');
    expect(() => read(token, BODY, NOW + 31_000)).toThrow('expired');
    expect(() => read(token, BODY, NOW - 61_000)).toThrow('expired');
    expect(() => read(token, BODY, NOW, 'tax', other)).toThrow('wrong signature');
  });

  it('holds at a subgraph whose clock differs by some seconds, either way', () => {
    for (const seconds of [-25, -5, 5, 25])
      expect(read(token, BODY, NOW + seconds * 1_000).principal).toEqual(bank);
  });

  it('bears an id of its own', () => {
    expect(read(signPrincipal(key, GRANT, BODY, NOW)).jti).not.toBe(read(token).jti);
  });

  it('refuses every change of a single character', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: token.length - 1 }),
        fc.constantFrom('A', 'z', '0', '-', '.', '='),
        (at, letter) => {
          fc.pre(token[at] !== letter);
          const changed = token.slice(0, at) + letter + token.slice(at + 1);
          expect(() => read(changed)).toThrow(PrincipalError);
        },
      ),
    );
  });

  it.each(['', 'a.b', 'a.b.c', `${token}.x`, `eyJhbGciOiJub25lIn0.${token.split('.')[1] ?? ''}.`])(
    'refuses %p',
    (forged) => {
      expect(() => read(forged)).toThrow(PrincipalError);
    },
  );
});
