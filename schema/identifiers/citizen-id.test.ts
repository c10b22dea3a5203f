import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  birthDateOf,
  citizenIdCheckDigit,
  citizenIdKind,
  isCitizenId,
  maskCitizenId,
  normaliseCitizenId,
  parseCitizenId,
  sexOf,
} from './citizen-id.ts';

const day = fc.date({ min: new Date('1900-01-01'), max: new Date('1900-12-31'), noInvalidDate: true });
const first17 = fc
  .tuple(
    fc.constantFrom('120101', '120116', '120225', '500101', '650102', '810000', '830000', '912840'),
    day,
    fc.integer({ min: 1, max: 999 }),
  )
  .map(
    ([region, date, order]) =>
      region + date.toISOString().slice(0, 10).replaceAll('-', '') + String(order).padStart(3, '0'),
  );
const generated = first17.map((body) => body + citizenIdCheckDigit(body));

describe('citizen ID number 公民身份号码', () => {
  it.each([
    ['120101190001010016', '1900-01-01', 'MALE', 'RESIDENT'],
    ['12010419000315002X', '1900-03-15', 'FEMALE', 'RESIDENT'],
    ['120110190006300035', '1900-06-30', 'MALE', 'RESIDENT'],
    [`81000019000101001${citizenIdCheckDigit('81000019000101001')}`, '1900-01-01', 'MALE', 'HMT_RESIDENT'],
    [
      `91284019000101002${citizenIdCheckDigit('91284019000101002')}`,
      '1900-01-01',
      'FEMALE',
      'FOREIGN_PERMANENT_RESIDENT',
    ],
  ])('reads %s as born %s, %s, %s', (input, birthDate, sex, kind) => {
    const parsed = parseCitizenId(input);
    expect(parsed).toEqual({ ok: true, value: input, normalised: false });
    if (parsed.ok) {
      expect([birthDateOf(parsed.value), sexOf(parsed.value), citizenIdKind(parsed.value)]).toEqual([
        birthDate,
        sex,
        kind,
      ]);
    }
  });

  it.each([
    ['120101000101001', '120101190001010016'],
    ['120104000315002', '12010419000315002X'],
    ['120110000630003', '120110190006300035'],
    ['12010419000315002x', '12010419000315002X'],
    ['１２０１０４　１９０００３１５　００２ｘ', '12010419000315002X'],
  ])('normalises %s', (input, value) => {
    expect(parseCitizenId(input)).toEqual({ ok: true, value, normalised: true });
    expect(normaliseCitizenId(input)).toBe(value);
    expect(isCitizenId(input)).toBe(false);
  });

  it.each([
    ['', 'LENGTH'],
    ['12010119000101001', 'LENGTH'],
    ['1201011900010100X6', 'ALPHABET'],
    ['12010100010100X', 'ALPHABET'],
    ['020101190001010016', 'REGION'],
    ['180101190001010016', 'REGION'],
    ['980101190001010016', 'REGION'],
    ['120116190002290026', 'BIRTH_DATE'],
    ['120101000229001', 'BIRTH_DATE'],
    ['120101210001010016', 'BIRTH_DATE'],
    ['120101190013010016', 'BIRTH_DATE'],
    ['120101190001010017', 'CHECK_DIGIT'],
  ])('refuses "%s" for %s and does not repeat it', (input, code) => {
    const parsed = parseCitizenId(input);
    expect(parsed).toMatchObject({ ok: false, code });
    expect(JSON.stringify(parsed)).not.toMatch(/\d{6}/);
  });

  it.each([
    ['120101190001010016', '1201**********0016'],
    ['12010419000315002x', '1201**********002X'],
    ['120101000101001', '1201**********0016'],
    ['1201011900****0016', '1201**********0016'],
    ['120101190001019999', '1201**********9999'],
    ['12010119000101', '******************'],
    ['张样本', '******************'],
    ['', '******************'],
  ])('masks %s as %s', (input, masked) => {
    expect(maskCitizenId(input)).toBe(masked);
  });

  it('accepts every generated number', () => {
    fc.assert(
      fc.property(generated, (id) => {
        expect(parseCitizenId(id)).toEqual({ ok: true, value: id, normalised: false });
      }),
    );
  });

  it('brings a number of 15 digits back to its 18', () => {
    fc.assert(
      fc.property(generated, (id) => {
        const fifteen = id.slice(0, 6) + id.slice(8, 17);
        expect(parseCitizenId(fifteen)).toEqual({ ok: true, value: id, normalised: true });
      }),
    );
  });

  it('catches the substitution of any one digit and the transposition of any two different neighbours', () => {
    fc.assert(
      fc.property(generated, fc.nat(16), fc.nat(9), (id, at, other) => {
        const substituted = id.slice(0, at) + other + id.slice(at + 1);
        const transposed = id.slice(0, at) + id.charAt(at + 1) + id.charAt(at) + id.slice(at + 2);
        expect(isCitizenId(substituted)).toBe(substituted === id);
        expect(isCitizenId(transposed)).toBe(transposed === id);
      }),
      { numRuns: 1000 },
    );
  });

  it('shows of any text at most the first four and the last four characters of a number', () => {
    fc.assert(
      fc.property(fc.oneof(generated, fc.string({ unit: 'binary' })), (text) => {
        const masked = maskCitizenId(text);
        expect(masked).toMatch(/^([\d*]{4}\*{10}[\d*]{3}[\dX*])$/);
        expect(masked).toHaveLength(18);
      }),
    );
  });
});
