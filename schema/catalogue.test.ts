import { describe, expect, it } from '@jest/globals';
import { grantsFor, parseCatalogue, readCatalogueFile, renderCatalogueFile } from './catalogue.ts';

const item = {
  id: 'tax.grade',
  name: { zh: '纳税信用', en: 'Tax credit' },
  category: 'grade',
  publicity: 'NOT_PUBLIC',
  sharing: 'CONDITIONAL',
  use: [{ principals: ['bank'], purposes: ['LOAN_ORIGINATION'], requires: 'CONSENT', mask: 'amount' }],
  basis: ['天津市社会信用条例第十条'],
  sensitivity: 'L2',
  retention: 'P1825D',
};
const catalogue = {
  department: 'tax',
  name: { zh: '税务', en: 'Tax' },
  version: '1',
  updateCycle: 'P1D',
  maxAge: 'PT10M',
  items: [item],
};

describe('a catalogue', () => {
  it('reads durations as seconds', () => {
    expect(parseCatalogue(catalogue, 'x')).toMatchObject({ updateCycle: 86_400, maxAge: 600 });
  });

  it('grants status to whoever is granted any item, without its mask', () => {
    const { items } = parseCatalogue(catalogue, 'x');
    const status = items.find(({ id }) => id === 'tax.status');
    expect(status?.use).toEqual([
      { principals: ['bank'], purposes: ['LOAN_ORIGINATION'], requires: 'CONSENT' },
    ]);
  });

  it('makes status public as soon as one item is', () => {
    const { items } = parseCatalogue(
      { ...catalogue, items: [item, { ...item, id: 'tax.list', publicity: 'PUBLIC', use: [] }] },
      'x',
    );
    expect(items.find(({ id }) => id === 'tax.status')?.publicity).toBe('PUBLIC');
  });

  it.each([
    [{ ...item, id: 'courts.list' }, 'belongs elsewhere'],
    [{ ...item, id: 'tax.status' }, 'is made by the loader'],
    [{ ...item, publicity: 'PUBLIC' }, 'its use cannot be narrowed'],
    [{ ...item, use: [] }, 'nobody may use it'],
    [{ ...item, basis: [] }, 'items.0.basis'],
    [{ ...item, retention: 'P5Y' }, 'a duration such as'],
    [{ ...item, extra: 1 }, 'extra'],
    [{ ...item, category: 'illness' }, '征信业管理条例第十四条'],
    [{ ...item, category: 'public-order-record' }, '治安管理处罚法第一百三十六条'],
    [{ ...item, category: 'nobody-knows' }, 'may not be shared'],
    [{ ...item, category: 'tax-amount', use: [{ principals: ['bank'] }] }, 'with written consent only'],
    [{ ...item, category: 'income', publicity: 'PUBLIC', use: [] }, 'with written consent only'],
  ])('refuses %j', (wrong, problem) => {
    expect(() => parseCatalogue({ ...catalogue, items: [wrong] }, 'tax/catalogue.yaml')).toThrow(problem);
  });

  it('is the same after the file that the gateway reads', () => {
    const parsed = parseCatalogue(catalogue, 'x');
    const { catalogue: read } = readCatalogueFile(renderCatalogueFile([parsed]), 'catalogue.json');
    expect([...read.values()]).toEqual(
      parsed.items.map((one) => ({ updateCycle: 86_400, ...one, version: '1' })),
    );
  });
});

describe('grants', () => {
  const grade = parseCatalogue(catalogue, 'x').items.find(({ id }) => id === 'tax.grade');
  it.each([
    [{ kind: 'bank', purpose: 'LOAN_ORIGINATION' }, 1],
    [{ kind: 'bank', purpose: 'LOAN_MONITORING' }, 0],
    [{ kind: 'public', purpose: 'PUBLIC_QUERY' }, 0],
  ] as const)('of %j are %i', (principal, count) => {
    expect(grade && grantsFor(grade, principal)).toHaveLength(count);
  });
});
