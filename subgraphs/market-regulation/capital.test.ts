import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { toCapital } from './capital.ts';

describe('registered capital', () => {
  it.each<[string | null, number | null, string | null]>([
    ['57(万元人民币)', 570_000, 'CNY'],
    ['1,000(万元人民币)', 10_000_000, 'CNY'],
    ['1,234,567.89(万元人民币)', 12_345_678_900, 'CNY'],
    ['350万人民币', 3_500_000, 'CNY'],
    ['350万人民币元', 3_500_000, 'CNY'],
    ['20万元人民币', 200_000, 'CNY'],
    ['18.2人民币元', 18.2, 'CNY'],
    ['0.3(万元)', 3_000, 'CNY'],
    ['57（万元人民币）', 570_000, 'CNY'],
    ['１００（万元人民币）', 1_000_000, 'CNY'],
    [' 57 (万元人民币) ', 570_000, 'CNY'],
    ['14.1(万美元)', 141_000, 'USD'],
    ['30万美元', 300_000, 'USD'],
    ['100(万港币)', 1_000_000, 'HKD'],
    ['100(万元港元)', 1_000_000, 'HKD'],
    ['5,000(万日元)', 50_000_000, 'JPY'],
    ['2(万欧元)', 20_000, 'EUR'],
    ['1(万英镑)', 10_000, 'GBP'],
    ['1(万澳大利亚元)', 10_000, 'AUD'],
    ['200(万德国马克)', 2_000_000, 'DEM'],
    ['0(万元人民币)', 0, 'CNY'],
    ['8(万)', 80_000, null],
    ['500', null, null],
    ['(万美元)', null, null],
    ['1,00(万元人民币)', null, null],
    ['12.5.1(万元)', null, null],
    ['-5(万元人民币)', null, null],
    ['5亿元', null, null],
    ['5(万贝里)', null, null],
    ['57(万元人民币) 58(万元人民币)', null, null],
  ])('%s is %p %s, with its text', (text, amount, currency) => {
    expect(toCapital(text)).toEqual({ amount, currency, text: text?.trim() });
  });

  it.each([null, '', 'N/A', '无', '　', 'Jean', 'KEN-CHENG）'])('is nothing at all in %p', (text) => {
    expect(toCapital(text)).toEqual({ amount: null, currency: null, text: null });
  });

  it('is the same with and without separators, and never has a tail', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e9 }), fc.integer({ min: 0, max: 9999 }), (whole, decimals) => {
        const tail = String(decimals).padStart(4, '0');
        const separated = toCapital(`${whole.toLocaleString('en-US')}.${tail}(万元人民币)`);
        expect(separated.amount).toBe(toCapital(`${whole}.${tail}万人民币`).amount);
        expect(separated.amount).toBe(whole * 10_000 + decimals);
      }),
    );
  });

  it('never throws, and never makes a sum of what it does not understand', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const { amount } = toCapital(text);
        expect(amount === null || (Number.isFinite(amount) && amount >= 0)).toBe(true);
      }),
    );
  });
});
