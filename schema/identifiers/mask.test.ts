import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AMOUNT_BANDS, toAmountBand } from './amount-bands.ts';
import { MASK_KINDS, maskAmount, maskPhone, maskValue, type MaskKind } from './mask.ts';

const cases: readonly (readonly [MaskKind, unknown, string | null])[] = [
  ['name', '张样本', '张*'],
  ['name', ' 欧阳样本', '欧*'],
  ['name', '𠮷样', '𠮷*'],
  ['name', '张', '*'],
  ['name', '', '*'],
  ['citizen-id', '120101190001010016', '1201**********0016'],
  ['citizen-id', '120101000101001', '1201**********0016'],
  ['citizen-id', 'E00000000', '******************'],
  ['phone', '13800000000', '138****0000'],
  ['phone', '+86 138-0000-0000', '138****0000'],
  ['phone', 13800000000, '138****0000'],
  ['phone', '022-00001234', '022****1234'],
  ['phone', '(0316) 0001234', '031****1234'],
  ['phone', '00001234', '***********'],
  ['phone', '120', '***********'],
  ['account', '6200 0000 0000 0001234', '****1234'],
  ['account', '12345678', '****'],
  ['account', '', '****'],
  ['address', '天津市和平区样例路1号阳光小区2门', '天津市和平区***'],
  ['address', '天津 河北区样例路', '天津市河北区***'],
  ['address', '和平区样例路1号', '和平区***'],
  ['address', '天津市市辖区武清区样例镇', '天津市武清区***'],
  ['address', '天津市塘沽区样例街', '天津市塘沽区***'],
  ['address', '天津市阳光小区3号楼', '天津市***'],
  ['address', '河北省廊坊市样例县样例村', '河北省***'],
  ['address', '样例路1号', '***'],
  ['amount', 0, '1万元以下'],
  ['amount', 9_999.99, '1万元以下'],
  ['amount', '10000', '1万–10万元'],
  ['amount', '1,234,567.80', '100万–500万元'],
  ['amount', -1, '0元以下'],
  ['amount', 1e30, '***'],
  ['amount', '57(万元人民币)', '***'],
  ['amount', Number.NaN, '***'],
  ['name', null, null],
  ['amount', undefined, null],
  ['name', { first: '张' }, '***'],
  ['name', ['张样本'], '***'],
  ['amount', true, '***'],
];

describe('masks 脱敏', () => {
  it.each(cases)('of kind %s turn %j into %j', (kind, value, masked) => {
    expect(maskValue(kind, value)).toBe(masked);
  });

  it('show of a phone number three digits and the last four, and of what is none nothing', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'0123456789+-() 电'), maxLength: 20 }), (text) => {
        expect(maskPhone(text)).toMatch(/^(\d{3}\*{4}\d{4}|\*{11})$/);
      }),
    );
  });

  it('show of any text no more than their kind permits', () => {
    const permitted: Record<MaskKind, RegExp> = {
      name: /^.?\*$/u,
      'citizen-id': /^[\d*]{4}\*{10}[\d*]{3}[\dX*]$/,
      phone: /^(\d{3}\*{4}\d{4}|\*{11})$/,
      account: /^\*{4}([0-9A-Za-z]{4})?$/,
      address: /^(天津市)?(\p{Script=Han}{2,3}[区县])?\*{3}$|^\p{Script=Han}{2,8}[省市区]\*{3}$/u,
      amount: /^(\*{3}|[^*]*元以?[上下]?)$/,
    };
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom(...'0123456789'), maxLength: 25 }),
      fc
        .array(fc.constantFrom('天津', '市', '和平区', '阳光小区', '河北省', '县', '1号'), { maxLength: 6 })
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(fc.constantFrom(...MASK_KINDS), text, (kind, value) => {
        expect(maskValue(kind, value)).toMatch(permitted[kind]);
      }),
      { numRuns: 2000 },
    );
  });

  it('put every amount into exactly one band', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (yuan) => {
        const holding = AMOUNT_BANDS.filter(
          ({ from, below }) => yuan >= (from ?? -Infinity) && yuan < (below ?? Infinity),
        );
        expect(holding).toEqual([toAmountBand(yuan)]);
      }),
    );
  });

  it('take other bands as data', () => {
    const bands = [{ from: 0, below: 100, zh: '百元以下', en: 'below 100' }];
    expect([maskAmount('99', bands), maskAmount('100', bands)]).toEqual(['百元以下', '***']);
  });
});
