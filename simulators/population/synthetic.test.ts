import { describe, expect, it } from '@jest/globals';
import { normaliseCompanyName } from '../../schema/identifiers/company-name.ts';
import { parseRegion } from '../../schema/identifiers/region.ts';
import { isCreditCode } from '../../schema/identifiers/unified-social-credit-code.ts';
import { generatePopulation, SAMPLE_COMPANY } from './synthetic.ts';

const population = generatePopulation({ size: 3000, seed: '1' });
const regions = population.map(({ code }) => parseRegion(code.slice(2, 8)));

describe('the synthetic population', () => {
  it('begins with the sample company, whatever the seed', () => {
    expect(SAMPLE_COMPANY).toMatchObject({
      name: '天津津信样例（集团）有限公司',
      code: '91120101MA9TYN016Y',
    });
    expect(generatePopulation({ size: 1, seed: 'another' })).toEqual([SAMPLE_COMPANY]);
  });

  it('is the same for the same seed, and its beginning does not depend on its size', () => {
    expect(generatePopulation({ size: 3000, seed: '1' })).toEqual(population);
    expect(generatePopulation({ size: 100, seed: '1' })).toEqual(population.slice(0, 100));
    expect(generatePopulation({ size: 100, seed: '2' })).not.toEqual(population.slice(0, 100));
  });

  it('has codes that pass every check, are marked as made up and stand for one company each', () => {
    expect(population.filter(({ code }) => !isCreditCode(code) || code.slice(11, 14) !== 'TYN')).toEqual([]);
    expect(new Set(population.map(({ code }) => code.slice(8, 17))).size).toBe(population.length);
  });

  it('has names that are marked as made up, and none twice, even without brackets and blanks', () => {
    expect(population.filter(({ name }) => !/津信(测试|样例)/.test(name))).toEqual([]);
    expect(new Set(population.map(({ name }) => normaliseCompanyName(name))).size).toBe(population.length);
  });

  it('lies over all sixteen districts, the city itself and abolished codes', () => {
    const of = (status: string) =>
      new Set(
        regions.flatMap((region) => (region.ok && region.value.status === status ? [region.value.code] : [])),
      );
    expect(of('CURRENT').size).toBe(17);
    expect(of('ABOLISHED').size).toBe(8);
  });

  it.each([
    ['name', /（.+）/],
    ['name', /\(.+\)/],
    ['name', /〔.+〕/],
    ['name', /[ 　]/],
    ['code', /^91/],
    ['code', /^92/],
    ['code', /^93/],
    ['kind', /^N\/A$/],
    ['kind', /^股份有限公司$/],
    ['capital', /^\d{1,2}\(万元人民币\)$/],
    ['capital', /^\d,\d{3}\(万元人民币\)$/],
    ['capital', /\(万美元\)$/],
    ['capital', /人民币元$/],
    ['capital', /^N\/A$/],
    ['district', /^(保税区|自贸区)$/],
    ['registeredOn', /^19\d\d-\d\d-\d\d$/],
    ['registeredOn', /^20\d\d-\d\d-\d\d$/],
  ] as const)('has a %s of the form %s', (column, form) => {
    expect(population.some((registration) => form.test(registration[column]))).toBe(true);
  });

  it.each([-1, 1.5, 31 ** 4, Number.NaN])('refuses the size %d', (size) => {
    expect(() => generatePopulation({ size, seed: '1' })).toThrow(RangeError);
  });
});
