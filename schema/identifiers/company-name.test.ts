import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isSameCompanyName, normaliseCompanyName } from './company-name.ts';

const BLANKS = ['', ' ', '\u3000', '\u00a0', '\t', '\u200b', '\n'];

describe('company name 企业名称', () => {
  it.each([
    '天津津信样例（集团）有限公司',
    '天津津信样例(集团)有限公司',
    '天津津信样例〔集团〕有限公司',
    '天津津信样例[集团]有限公司',
    '天津津信样例【集团】有限公司',
    '天津津信样例［集团］有限公司',
    ' 天津津信样例 （集团）\u3000有限公司\u200b',
  ])('reads "%s" as the sample company', (name) => {
    expect(normaliseCompanyName(name)).toBe('天津津信样例(集团)有限公司');
  });

  it.each([
    ['ＡＢＣ测试（天津）有限公司', 'abc测试(天津)有限公司'],
    ['津信·测试有限公司', '津信・测试有限公司'],
    ['津信•测试有限公司', '津信･测试有限公司'],
    ['Cafe\u0301测试店', 'CAFÉ测试店'],
  ])('sees one name in %s and %s', (one, other) => {
    expect(isSameCompanyName(one, other)).toBe(true);
  });

  it.each([
    ['津信测试一店', '津信测试二店'],
    ['津信测试(天津)有限公司', '津信测试天津有限公司'],
    ['津信.测试有限公司', '津信·测试有限公司'],
    ['', ' '],
  ])('sees two names in "%s" and "%s"', (one, other) => {
    expect(isSameCompanyName(one, other)).toBe(false);
  });

  it('does not care for brackets, blanks and width', () => {
    const letters = fc.array(fc.constantFrom(...'天津信测试商贸ABC12(·'), { minLength: 1, maxLength: 20 });
    const spellings: Record<string, string[]> = {
      '(': ['(', '（', '〔', '[', '【'],
      '·': ['·', '・', '•'],
      A: ['A', 'a', 'Ａ', 'ａ'],
    };
    const written = letters.chain((characters) =>
      fc.tuple(
        fc.constant(characters.join('')),
        fc.tuple(
          ...characters.map((character) =>
            fc.tuple(fc.constantFrom(...(spellings[character] ?? [character])), fc.constantFrom(...BLANKS)),
          ),
        ),
      ),
    );
    fc.assert(
      fc.property(written, ([name, pieces]) => {
        expect(normaliseCompanyName(pieces.flat().join(''))).toBe(name);
      }),
    );
  });

  it('changes nothing the second time', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        const once = normaliseCompanyName(name);
        expect(normaliseCompanyName(once)).toBe(once);
      }),
      { numRuns: 2000 },
    );
  });
});
