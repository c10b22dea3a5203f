import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { toMatch } from './matching.ts';
import { toNameParts } from './names.ts';

describe('a registered name', () => {
  it.each([
    ['天津市津信样例有限公司', '天津市', '津信样例', '有限公司'],
    ['天津津信样例（集团）有限责任公司', '天津', '津信样例集团', '有限公司'],
    ['天津市和平区百货公司', '天津市和平区', '百货', '公司'],
    ['天津滨海新区启明贸易有限公司', '天津滨海新区', '启明贸易', '有限公司'],
    ['宁河县测试供销合作社', '宁河县', '测试供销', '合作社'],
    ['天津河东测试股份有限公司', '天津', '河东测试', '股份有限公司'],
    ['天津市公司', '', '天津市', '公司'],
    ['公司', '', '公司', ''],
    ['ＡＢＣ贸易（天津）有限公司', '', 'ABC贸易天津', '有限公司'],
  ])('%s is %s + %s + %s', (name, region, core, form) => {
    expect(toNameParts(name)).toMatchObject({ region, core, form });
  });

  it.each([
    ['天津津信样例(集团)有限公司', '天津 津信样例（集团） 有限责任公司'],
    ['天津津信样例〔集团〕有限公司', '天津津信样例集团有限公司'],
  ])('%s and %s have one key', (one, other) => {
    expect(toNameParts(one).key).toBe(toNameParts(other).key);
  });

  it('always has a core, and fits nothing better than itself', () => {
    const word = fc.string({
      unit: fc.constantFrom(...'天津市和平区河东信样例（集团）有限责任公司合作社AB '),
      minLength: 1,
      maxLength: 14,
    });
    fc.assert(
      fc.property(word, word, fc.double({ min: 0, max: 1, noNaN: true }), (one, other, coreSimilarity) => {
        const [asked, parts] = [toNameParts(one), toNameParts(other)];
        fc.pre(asked.normalised.replace(/[()]/g, '') !== '');
        expect(asked.core).not.toBe('');
        const candidate = { subjectId: 'x', name: other, isFormer: false, coreSimilarity };
        const { score } = toMatch(asked, { ...candidate, parts });
        expect(score).toBeGreaterThanOrEqual(0);
        expect(score).toBeLessThanOrEqual(1);
        expect(score === 1).toBe(asked.normalised === parts.normalised);
        expect(toMatch(asked, { ...candidate, parts, isFormer: true }).score).toBeLessThanOrEqual(score);
      }),
    );
  });
});
