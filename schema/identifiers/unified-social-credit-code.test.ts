import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CREDIT_CODE_KINDS, creditCodeKind } from './credit-code-departments.ts';
import {
  CREDIT_CODE_ALPHABET,
  isCreditCode,
  isSoleTrader,
  makeCreditCode,
  parseCreditCode,
  toCreditCodeParts,
} from './unified-social-credit-code.ts';

const generated = fc
  .record({
    kind: fc.constantFrom(...CREDIT_CODE_KINDS),
    region: fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 6, maxLength: 6 }),
    body8: fc.string({ unit: fc.constantFrom(...CREDIT_CODE_ALPHABET), minLength: 8, maxLength: 8 }),
  })
  .map(({ kind: [department, category], region, body8 }) =>
    makeCreditCode({ department, category, region, body8 }),
  );

describe('unified social credit code 统一社会信用代码', () => {
  it.each([
    ['91350100M000100Y43', '市场监管', '企业'],
    ['91120101MA9TYN016Y', '市场监管', '企业'],
    ['91120116MA9TYN024H', '市场监管', '企业'],
    ['92120104MA9TYN032W', '市场监管', '个体工商户'],
    ['93120115MA9TYN059F', '市场监管', '农民专业合作社'],
    ['12120000999900011K', '机构编制', '事业单位'],
    ['1112000099990002XE', '机构编制', '机关'],
    ['51120000MJ9TYN043R', '民政', '社会团体'],
    ['52120110MJ9TYN06XX', '民政', '民办非企业单位'],
  ])('accepts %s of %s, %s', (code, department, category) => {
    expect(parseCreditCode(code)).toEqual({ ok: true, value: code, normalised: false });
    expect(creditCodeKind(code.charAt(0), code.charAt(1))).toEqual({ department, category });
  });

  it.each([
    ['full width', '９１１２０１０１ＭＡ９ＴＹＮ０１６Ｙ'],
    ['lower case', '91120101ma9tyn016y'],
    ['white space of all kinds', '\ufeff 911201\u00a001 MA9T\u3000YN016Y\t\u200b'],
  ])('normalises %s', (_, input) => {
    expect(parseCreditCode(input)).toEqual({ ok: true, value: '91120101MA9TYN016Y', normalised: true });
  });

  it.each([
    ['', 'LENGTH'],
    ['无', 'LENGTH'],
    ['91120101MA9TYN016', 'LENGTH'],
    ['91120101MA9TYN016Y1', 'LENGTH'],
    ['91120101-MA9TYN016Y', 'LENGTH'],
    ['91120101MA9TYN01ZY', 'ALPHABET'],
    ['9112010①MA9TYN016Y', 'ALPHABET'],
    ['津1120101MA9TYN016Y', 'ALPHABET'],
    ['B1120101MA9TYN016Y', 'DEPARTMENT'],
    ['94120101MA9TYN016Y', 'CATEGORY'],
    ['23120101MA9TYN016Y', 'CATEGORY'],
    ['911201A1MA9TYN016Y', 'REGION_FORMAT'],
    ['91120101MA9TYN017Y', 'ORGANISATION_CHECK_DIGIT'],
    ['91120101MA9TYN016X', 'CHECK_DIGIT'],
  ])('refuses "%s" for %s', (input, code) => {
    expect(parseCreditCode(input)).toMatchObject({ ok: false, code });
    expect(isCreditCode(input)).toBe(false);
  });

  it.each(['12120000999900013J', '11120000999900021G'])(
    'refuses %s, whose last check digit holds while that of the organisation code does not (存疑码)',
    (input) => {
      expect(parseCreditCode(input)).toMatchObject({ ok: false, code: 'ORGANISATION_CHECK_DIGIT' });
    },
  );

  it('does not refuse a region that nobody knows', () => {
    const code = makeCreditCode({ department: '9', category: '1', region: '998877', body8: 'MA9TYN01' });
    expect(isCreditCode(code)).toBe(true);
    expect(toCreditCodeParts(code)).toEqual({
      department: '9',
      category: '1',
      region: '998877',
      organisationCode: 'MA9TYN016',
    });
  });

  it('knows a sole trader by characters 1 and 2', () => {
    const codes = ['91', '92'].map((kind) =>
      makeCreditCode({ department: '9', category: kind.charAt(1), region: '120104', body8: 'MA9TYN03' }),
    );
    expect(codes.map(isSoleTrader)).toEqual([false, true]);
  });

  it('offers O as 0 and I as 1 as a hint, and applies neither', () => {
    const parsed = parseCreditCode('9ii2oiOIMA9TYNO16Y');
    expect(parsed).toMatchObject({ ok: false, code: 'ALPHABET' });
    expect(parsed).toHaveProperty('hint', expect.stringContaining('91120101MA9TYN016Y'));
  });

  it.each(['91120101MA9TYNO16X', '91120101MA9TYN0IZY', '9112010SMA9TYN016Y'])(
    'gives no hint for %s, because no spelling passes every check',
    (input) => {
      expect(parseCreditCode(input)).not.toHaveProperty('hint');
    },
  );

  it('does not repeat in a message what was put in', () => {
    const citizenId = '120101190001010016';
    expect(JSON.stringify(parseCreditCode(citizenId))).not.toContain(citizenId);
  });

  it('refuses to make a code of parts that cannot form one', () => {
    const parts = { department: '9', category: '1', region: '120101', body8: 'MA9TYN01' };
    expect(() => makeCreditCode({ ...parts, region: '12010' })).toThrow(RangeError);
    expect(() => makeCreditCode({ ...parts, category: '7' })).toThrow(RangeError);
    expect(() => makeCreditCode({ ...parts, body8: 'MA9TYNO1' })).toThrow(RangeError);
    expect(() => makeCreditCode({ ...parts, body8: '津' })).toThrow(RangeError);
  });

  it('accepts every generated code', () => {
    fc.assert(
      fc.property(generated, (code) => {
        expect(parseCreditCode(code)).toEqual({ ok: true, value: code, normalised: false });
        expect(parseCreditCode(` ${code.toLowerCase()}`)).toEqual({
          ok: true,
          value: code,
          normalised: true,
        });
      }),
    );
  });

  it('catches the substitution of any one character by another of the alphabet', () => {
    fc.assert(
      fc.property(generated, fc.nat(17), fc.constantFrom(...CREDIT_CODE_ALPHABET), (code, at, other) => {
        fc.pre(code[at] !== other);
        expect(parseCreditCode(code.slice(0, at) + other + code.slice(at + 1)).ok).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });

  it('catches the transposition of any two different neighbours', () => {
    fc.assert(
      fc.property(generated, fc.nat(16), (code, at) => {
        fc.pre(code[at] !== code[at + 1]);
        const changed = code.slice(0, at) + code.charAt(at + 1) + code.charAt(at) + code.slice(at + 2);
        expect(parseCreditCode(changed).ok).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });
});
