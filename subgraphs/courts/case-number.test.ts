import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseCaseNumber } from './case-number.ts';

describe('case numbers', () => {
  it.each([
    ['（2024）津0101执1234号', '（2024）津0101执1234号', '津0101', '天津市和平区人民法院', '执'],
    ['(2024)津0116执恢7号', '（2024）津0116执恢7号', '津0116', '天津市滨海新区人民法院', '执恢'],
    ['〔2024〕 津 01 民终 0012 号', '（2024）津01民终12号', '津01', '天津市第一中级人民法院', '民终'],
    ['[2019]津民申5号', '（2019）津民申5号', '津', '天津市高级人民法院', '民申'],
    ['【2021】津72民初9号之一', '（2021）津72民初9号之一', '津72', '天津海事法院', '民初'],
    ['（２０２４）津０１１９破３号', '（2024）津0119破3号', '津0119', '天津市蓟州区人民法院', '破'],
    ['(2023)冀0102执7号', '（2023）冀0102执7号', '冀0102', null, '执'],
    ['（2014）和执字第123号', '（2014）和执字第123号', null, null, '执'],
  ])('reads %s', (input, text, courtCode, court, kind) => {
    expect(parseCaseNumber(input)).toMatchObject({ text, courtCode, court, kind });
  });

  it.each([
    '',
    '津仲裁字〔2023〕第12号',
    '(2024)津0101执号',
    '2024津0101执1号',
    '(24)津0101执1号',
    '(2024)津011执1号',
    '(2024)津0101执1号;x',
  ])('knows that %j is none', (input) => {
    expect(parseCaseNumber(input)).toBeNull();
  });

  it('reads one case from every kind of bracket, and its own text again', () => {
    const parts = {
      year: fc.integer({ min: 2016, max: 2026 }),
      court: fc.constantFrom('津', '津01', '津0104', '京0101'),
      kind: fc.constantFrom('执', '执恢', '执异', '民初', '破'),
      number: fc.integer({ min: 1, max: 999_999 }),
    };
    fc.assert(
      fc.property(fc.record(parts), ({ year, court, kind, number }) => {
        const texts = ['（）', '()', '〔〕', '[]', '【】'].map(
          ([open, close]) => parseCaseNumber(`${open}${year}${close}${court}${kind}${number}号`)?.text,
        );
        expect(new Set(texts).size).toBe(1);
        expect(parseCaseNumber(texts[0] ?? '')?.text).toBe(texts[0]);
      }),
    );
  });
});
