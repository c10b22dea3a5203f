import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseCatalogue } from '../../schema/catalogue.ts';
import type { Catalogue } from '../../schema/catalogue.ts';
import { findBreach, isReleasable, loadRules } from './rules.ts';
import type { Request } from './rules.ts';

const rules = loadRules();
const item = (id: string, use: object[] | null) => ({
  id,
  name: { zh: '项', en: id },
  category: 'administrative',
  publicity: use ? 'NOT_PUBLIC' : 'PUBLIC',
  sharing: 'CONDITIONAL',
  use: use ?? [],
  basis: ['测试'],
  sensitivity: 'L2',
  retention: 'P1D',
});
const emergency = { principals: ['department'], departments: ['tax'], purposes: ['EMERGENCY'] };
const { items, version } = parseCatalogue(
  {
    department: 'a',
    name: { zh: '甲', en: 'a' },
    version: '1',
    updateCycle: 'P1D',
    maxAge: 'PT0S',
    items: [
      ...['one', 'two', 'three', 'four', 'five', 'six'].map((name) =>
        item(`a.${name}`, [{ ...emergency, requires: 'BREAK_GLASS' }]),
      ),
      item('a.free', [emergency]),
      item('a.consented', [{ ...emergency, requires: 'CONSENT' }]),
      item('a.duty', [{ ...emergency, purposes: ['OFFICIAL_DUTY'], requires: 'BREAK_GLASS' }]),
      item('a.public', null),
    ],
  },
  'test',
);
const catalogue: Catalogue = new Map(items.map((one) => [one.id, { ...one, version }]));
const request: Request = { items: ['a.one'], reason: '厂房坍塌，须确认在场人数。', minutes: 30 };
const breach = (change: Partial<Request>, department = 'tax') =>
  findBreach({ ...request, ...change }, rules, catalogue, department)?.attribute ?? null;

describe('an emergency access', () => {
  it.each<[string | null, Partial<Request>]>([
    [null, {}],
    [null, { minutes: 60, items: ['a.one', 'a.two', 'a.three', 'a.four', 'a.five'] }],
    [null, { reason: '厂房坍塌，须确认在场人数。\n已报值班领导。' }],
    ['items', { items: ['a.one', 'a.two', 'a.three', 'a.four', 'a.five', 'a.six'] }],
    ['items', { items: [] }],
    ['items', { items: ['a.one', 'a.one'] }],
    ['items', { items: ['a.one', 'a.free'] }],
    ['items', { items: ['*'] }],
    ['minutes', { minutes: 61 }],
    ['minutes', { minutes: 0 }],
    ['minutes', { minutes: Number.NaN }],
    ['reason', { reason: '紧急' }],
    ['reason', { reason: ' '.repeat(40) }],
    ['reason', { reason: `${'紧急'.repeat(10)}\u0000` }],
    ['reason', { reason: '急'.repeat(1_001) }],
  ])('is stopped by %s when it says %j', (attribute, change) => {
    expect(breach(change)).toBe(attribute);
  });

  it('is for officers of the departments that the catalogue names, and for nothing that it releases otherwise', () => {
    expect(breach({}, 'courts')).toBe('items');
    expect([...catalogue.keys()].filter((id) => isReleasable(catalogue, id, 'tax'))).toEqual([
      'a.one',
      'a.two',
      'a.three',
      'a.four',
      'a.five',
      'a.six',
    ]);
  });

  it('never goes beyond the rules, whatever is asked', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...catalogue.keys(), 'b.unknown', '__proto__'), { maxLength: 7 }),
        fc.string({ maxLength: 40 }),
        fc.integer({ min: -5, max: 90 }),
        fc.constantFrom('tax', 'courts'),
        (asked, reason, minutes, department) => {
          const isWithin =
            asked.length >= 1 &&
            asked.length <= 5 &&
            asked.every((id) => isReleasable(catalogue, id, department)) &&
            minutes >= 1 &&
            minutes <= 60 &&
            [...reason.trim()].length >= 10;
          const found = findBreach({ items: asked, reason, minutes }, rules, catalogue, department);
          return found !== null || isWithin;
        },
      ),
      { numRuns: 500 },
    );
  });
});
