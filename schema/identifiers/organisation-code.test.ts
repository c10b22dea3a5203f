import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  isOrganisationCode,
  organisationCheckDigit,
  parseOrganisationCode,
  toHyphenated,
} from './organisation-code.ts';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const body = fc.string({ unit: fc.constantFrom(...ALPHABET), minLength: 8, maxLength: 8 });
const generated = body.map((body8) => body8 + organisationCheckDigit(body8));
const valueOf = (character: string | undefined): number => ALPHABET.indexOf(character ?? '');

describe('organisation code 组织机构代码', () => {
  it.each([
    ['D2143569-X', 'D2143569X'],
    ['MA9TYN01-6', 'MA9TYN016'],
    ['99990001-1', '999900011'],
    ['mj9tyn06x', 'MJ9TYN06X'],
    ['　ＭＡ９ＴＹＮ０１－６ ', 'MA9TYN016'],
    ['MA9TYN01–6', 'MA9TYN016'],
  ])('reads %s as %s', (input, value) => {
    expect(parseOrganisationCode(input)).toEqual({ ok: true, value, normalised: true });
  });

  it.each([
    ['', 'LENGTH'],
    ['MA9TYN01', 'LENGTH'],
    ['MA9T-YN016', 'LENGTH'],
    ['MA9TYN01A', 'ALPHABET'],
    ['津A9TYN016', 'ALPHABET'],
    ['MA9TYN017', 'CHECK_DIGIT'],
    ['99990001-3', 'CHECK_DIGIT'],
  ])('refuses "%s" for %s', (input, code) => {
    expect(parseOrganisationCode(input)).toMatchObject({ ok: false, code });
  });

  it('is only the normal form', () => {
    expect(isOrganisationCode('MA9TYN016')).toBe(true);
    expect(isOrganisationCode('MA9TYN01-6')).toBe(false);
  });

  it('accepts every generated code, with the hyphen too', () => {
    fc.assert(
      fc.property(generated, (code) => {
        const parsed = parseOrganisationCode(code);
        expect(parsed).toEqual({ ok: true, value: code, normalised: false });
        if (parsed.ok) expect(parseOrganisationCode(toHyphenated(parsed.value)).ok).toBe(true);
      }),
    );
  });

  it('catches a substitution exactly when the two values differ modulo 11, which is all that the standard can do', () => {
    fc.assert(
      fc.property(generated, fc.nat(7), fc.constantFrom(...ALPHABET), (code, at, other) => {
        const changed = code.slice(0, at) + other + code.slice(at + 1);
        const same = (valueOf(other) - valueOf(code[at])) % 11 === 0;
        expect(parseOrganisationCode(changed).ok).toBe(same);
      }),
    );
  });

  it('catches a transposition of neighbours exactly when their values differ modulo 11', () => {
    fc.assert(
      fc.property(generated, fc.nat(6), (code, at) => {
        const changed = code.slice(0, at) + code.charAt(at + 1) + code.charAt(at) + code.slice(at + 2);
        const same = (valueOf(code[at + 1]) - valueOf(code[at])) % 11 === 0;
        expect(parseOrganisationCode(changed).ok).toBe(same);
      }),
    );
  });
});
