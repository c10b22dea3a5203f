import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { findBreach, loadTemplates } from './templates.ts';
import type { ConsentTerms } from './templates.ts';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 23);
const templates = loadTemplates();

const origination: ConsentTerms = {
  purpose: 'LOAN_ORIGINATION',
  expiresAt: NOW + 31 * DAY,
  periodFrom: NOW - 427 * DAY,
  periodUntil: NOW,
  dataLifeDays: 31,
  frequency: { times: 1, per: 'CONSENT' },
};
const monitoring: ConsentTerms = {
  ...origination,
  purpose: 'LOAN_MONITORING',
  expiresAt: NOW + 366 * DAY,
  periodFrom: NOW - 184 * DAY,
  frequency: { times: 5, per: 'MONTH' },
};

describe('a purpose template', () => {
  it.each([
    ['underwriting at its caps', origination],
    ['monitoring at its caps', monitoring],
    [
      'five look-ups in the whole life of a monitoring consent',
      { ...monitoring, frequency: { times: 5, per: 'CONSENT' } },
    ],
    [
      'five look-ups in a monitoring consent that is shorter than a month',
      { ...monitoring, expiresAt: NOW + 20 * DAY, frequency: { times: 5, per: 'CONSENT' } },
    ],
  ] as const)('lets %s pass', (_, terms) => {
    expect(findBreach(terms, templates, NOW)).toBeNull();
  });

  it.each<[string, Partial<ConsentTerms>, ConsentTerms]>([
    ['purpose', { purpose: 'OFFICIAL_DUTY' }, origination],
    ['expiresAt', { expiresAt: NOW }, origination],
    ['expiresAt', { expiresAt: Number.NaN }, origination],
    ['expiresAt', { expiresAt: NOW + 31 * DAY + 1 }, origination],
    ['periodFrom', { periodFrom: NOW + DAY }, origination],
    ['periodFrom', { periodFrom: NOW - 428 * DAY }, origination],
    ['periodUntil', { periodUntil: NOW + 32 * DAY }, origination],
    ['dataLifeDays', { dataLifeDays: 32 }, origination],
    ['dataLifeDays', { dataLifeDays: 0 }, origination],
    ['frequency', { frequency: { times: 0, per: 'CONSENT' } }, origination],
    ['frequency', { frequency: { times: 2, per: 'CONSENT' } }, origination],
    ['frequency', { frequency: { times: 1, per: 'DAY' } }, origination],
    ['frequency', { frequency: { times: 1, per: 'DAY' } }, monitoring],
    ['frequency', { frequency: { times: 6, per: 'MONTH' } }, monitoring],
    ['frequency', { frequency: { times: 6, per: 'CONSENT' } }, monitoring],
    ['periodFrom', { periodFrom: NOW - 185 * DAY }, monitoring],
  ])('names %s when a consent says %j', (attribute, change, terms) => {
    expect(findBreach({ ...terms, ...change }, templates, NOW)?.attribute).toBe(attribute);
  });

  it('never lets more pass than its caps', () => {
    fc.assert(
      fc.property(
        fc.record({
          purpose: fc.constantFrom('LOAN_ORIGINATION', 'LOAN_MONITORING', 'REGIONAL_EXCHANGE'),
          expiresAt: fc.integer({ min: -10, max: 500 }).map((days) => NOW + days * DAY),
          periodFrom: fc.integer({ min: -600, max: 10 }).map((days) => NOW + days * DAY),
          periodUntil: fc.integer({ min: -600, max: 500 }).map((days) => NOW + days * DAY),
          dataLifeDays: fc.integer({ min: -1, max: 60 }),
          frequency: fc.record({
            times: fc.integer({ min: -1, max: 9 }),
            per: fc.constantFrom('CONSENT', 'DAY', 'MONTH'),
          }),
        }),
        (terms) => {
          const caps = templates.purposes.get(terms.purpose);
          const isWithin =
            caps !== undefined &&
            terms.expiresAt > NOW &&
            terms.expiresAt <= NOW + caps.maxExpiryDays * DAY &&
            terms.periodUntil - terms.periodFrom <= caps.maxPeriodDays * DAY &&
            terms.dataLifeDays <= caps.maxDataLifeDays &&
            terms.frequency.times <= caps.frequency.times;
          expect(findBreach(terms, templates, NOW) !== null || isWithin).toBe(true);
        },
      ),
    );
  });
});
