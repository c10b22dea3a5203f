import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { toHalfWidth, toPlainCode, toUpperLatin, withoutWhiteSpace } from './plain-text.ts';

describe('plain text', () => {
  it('takes out white space of every kind', () => {
    expect(withoutWhiteSpace('\u3000a\u00a0b\tc\u200b\ufeff d\n')).toBe('abcd');
  });

  it('makes full width letters, digits and signs half width, and leaves other signs alone', () => {
    expect(toHalfWidth('９１Ａｘ（－）①津')).toBe('91Ax(-)①津');
  });

  it('raises only a to z, so that a dotless i does not become an I', () => {
    expect(toUpperLatin('ab1ıßſ')).toBe('AB1ıßſ');
  });

  it('changes nothing the second time', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const once = toPlainCode(text);
        expect(toPlainCode(once)).toBe(once);
      }),
    );
  });
});
