import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  isRegistrationNumber,
  parseRegistrationNumber,
  registrationCheckDigit,
} from './registration-number.ts';

const digits = (count: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: count, maxLength: count });
const generated = digits(14).map((first14) => first14 + registrationCheckDigit(first14));

describe('registration number 工商注册号', () => {
  it.each([
    ['120116000000014', 'DOMESTIC', '120116'],
    ['120101400000020', 'FOREIGN', '120101'],
    ['120104600000036', 'SOLE_TRADER', '120104'],
  ])('reads %s as one of a %s holder', (number, holder, region) => {
    expect(parseRegistrationNumber(number)).toEqual({
      ok: true,
      value: { number, form: 'GS_15_2006', checked: true, holder, region },
      normalised: false,
    });
    expect(isRegistrationNumber(number)).toBe(true);
  });

  it.each([
    ['1201011900001', 'PRE_2007', null],
    ['企独津总字第000000号', 'FOREIGN_TEXT', 'FOREIGN'],
    ['企合津总副字第001234号', 'FOREIGN_TEXT', 'FOREIGN'],
    ['企独津总字第 ００１２３４ 号', 'FOREIGN_TEXT', 'FOREIGN'],
  ])('reads %s without a check, and says so', (input, form, holder) => {
    expect(parseRegistrationNumber(input)).toMatchObject({
      ok: true,
      value: { form, checked: false, holder },
    });
    expect(isRegistrationNumber(input)).toBe(false);
  });

  it.each([
    ['', 'FORM'],
    ['12010119000012', 'FORM'],
    ['12011600000001A', 'FORM'],
    ['津独津总字第000000号', 'FORM'],
    ['120116000000015', 'CHECK_DIGIT'],
  ])('refuses "%s" for %s', (input, code) => {
    expect(parseRegistrationNumber(input)).toMatchObject({ ok: false, code });
  });

  it('accepts every generated number, full width too', () => {
    fc.assert(
      fc.property(generated, (number) => {
        const wide = number.replace(/\d/g, (digit) => String.fromCharCode(digit.charCodeAt(0) + 0xfee0));
        expect(parseRegistrationNumber(number)).toMatchObject({ ok: true, normalised: false });
        expect(parseRegistrationNumber(wide)).toMatchObject({
          ok: true,
          value: { number },
          normalised: true,
        });
      }),
    );
  });

  it('catches the substitution of any one digit', () => {
    fc.assert(
      fc.property(generated, fc.nat(14), fc.nat(9), (number, at, other) => {
        fc.pre(number[at] !== String(other));
        expect(parseRegistrationNumber(number.slice(0, at) + other + number.slice(at + 1)).ok).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });
});
