import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { assess, completenessOf } from './assess.ts';
import { loadProducts, loadRules, parseRules } from './rules.ts';
import type { LoanProduct } from './rules.ts';
import type { Facts, SourceFacts, Status } from './source.ts';

const rules = loadRules();
const products = [...loadProducts().values()];
const standard = products[0] as LoanProduct;

const CLEAN: Readonly<Record<string, Facts>> = {
  'market-regulation': { state: 'ACTIVE', years: 12, abnormalCount: 0, seriousCount: 0 },
  tax: { grade: 'A', arrearsTotal: 0, majorViolations: 0 },
  courts: { dishonestCount: 0, consumptionRestricted: false, enforcementOpenCount: 0, enforcementAmount: 0 },
  'human-resources': {
    insuredCount: 40,
    continuousMonths: 60,
    socialInsuranceArrears: false,
    wageArrearsListed: false,
  },
  'public-security': { verdict: 'MATCH' },
};

/** Facts from best to worst, per fact: a later value is an adverse finding added to an earlier one. */
const WORSE: Readonly<Record<string, Readonly<Record<string, Facts[string][]>>>> = {
  'market-regulation': { state: ['ACTIVE', 'REVOKED'], abnormalCount: [0, 1, 3], seriousCount: [0, 1] },
  tax: { grade: ['A', 'B', 'M', 'C', 'D'], arrearsTotal: [0, 12.5, 9e6], majorViolations: [0, 1] },
  courts: {
    dishonestCount: [0, 1, 4],
    consumptionRestricted: [false, true],
    enforcementOpenCount: [0, 1, 9],
    enforcementAmount: [0, 5e5, 2e6],
  },
  'human-resources': {
    socialInsuranceArrears: [false, true],
    wageArrearsListed: [false, true],
    continuousMonths: [60, 2],
  },
  'public-security': { verdict: ['MATCH', 'MISMATCH'] },
};

const known = (department: string, facts: Facts, status: Status = 'OK'): SourceFacts => ({
  department,
  status,
  asOf: null,
  elapsedMs: 1,
  findings: 0,
  facts,
});
const unknown = (department: string, status: Status): SourceFacts => ({
  department,
  status,
  asOf: null,
  elapsedMs: 1,
  findings: null,
  facts: null,
});
const cleanSources = (product: LoanProduct): SourceFacts[] =>
  product.departments.map((department) => known(department, CLEAN[department] ?? {}));
const change = (source: SourceFacts, facts: Facts): SourceFacts => ({
  ...source,
  facts: { ...source.facts, ...facts },
});

const someProduct = fc.constantFrom(...products);
const someStatus = fc.constantFrom<Status>('PENDING', 'TIMEOUT', 'UNAVAILABLE');
/** For every fact of a product's departments: how bad it is. */
const someFacts = fc.record(
  Object.fromEntries(
    Object.entries(WORSE).flatMap(([department, facts]) =>
      Object.entries(facts).map(([name, values]) => [`${department}.${name}`, fc.nat(values.length - 1)]),
    ),
  ),
);
const withFacts = (product: LoanProduct, badness: Readonly<Record<string, number>>): SourceFacts[] =>
  cleanSources(product).map((source) =>
    change(
      source,
      Object.fromEntries(
        Object.entries(WORSE[source.department] ?? {}).map(([name, values]) => [
          name,
          values[badness[`${source.department}.${name}`] ?? 0] ?? null,
        ]),
      ),
    ),
  );

describe('an assessment', () => {
  it.each(products.map((product) => [product.id, product] as const))(
    'recommends a clean subject for %s',
    (_, product) => {
      const assessment = assess(cleanSources(product), product, rules);
      expect(assessment.conclusion).toBe('RECOMMEND');
      expect(assessment.score).toBeGreaterThanOrEqual(product.recommendFrom);
      expect(assessment.reasons.every(({ effect }) => effect === 'PLUS')).toBe(true);
    },
  );

  it.each([
    ['courts', { dishonestCount: 1 }, 'DECLINE', 'courts.dishonest'],
    ['courts', { consumptionRestricted: true }, 'DECLINE', 'courts.consumption-restricted'],
    ['courts', { enforcementOpenCount: 1 }, 'REVIEW', 'courts.enforcement'],
    ['market-regulation', { state: 'REVOKED' }, 'DECLINE', 'market-regulation.not-in-business'],
    ['market-regulation', { seriousCount: 1 }, 'DECLINE', 'market-regulation.serious-violation'],
    ['market-regulation', { abnormalCount: 1 }, 'REVIEW', 'market-regulation.abnormal'],
    ['tax', { grade: 'D' }, 'DECLINE', 'tax.grade-d'],
    ['tax', { grade: null }, 'REVIEW', 'tax.no-grade'],
    ['tax', { arrearsTotal: 1.5 }, 'REVIEW', 'tax.arrears'],
    ['human-resources', { wageArrearsListed: true }, 'DECLINE', 'human-resources.wage-arrears'],
    ['public-security', { verdict: 'MISMATCH' }, 'REVIEW', 'public-security.identity-differs'],
  ] as const)('%s with %j ends in %s by %s', (department, facts, conclusion, rule) => {
    const sources = cleanSources(standard).map((source) =>
      source.department === department ? change(source, facts) : source,
    );
    const assessment = assess(sources, standard, rules);
    expect(assessment.conclusion).toBe(conclusion);
    expect(assessment.reasons.map((reason) => reason.rule)).toContain(rule);
  });

  it('never recommends while any source is unknown, whatever the others say', () => {
    fc.assert(
      fc.property(
        someProduct,
        someFacts,
        fc.array(fc.tuple(fc.nat(9), someStatus), { minLength: 1, maxLength: 9 }),
        (product, badness, lost) => {
          const sources = withFacts(product, badness);
          for (const [at, status] of lost) {
            const department = product.departments[at % product.departments.length] ?? '';
            sources[at % sources.length] = unknown(department, status);
          }
          const { conclusion, reasons } = assess(sources, product, rules);
          expect(conclusion).not.toBe('RECOMMEND');
          expect(reasons.some(({ effect }) => effect === 'UNKNOWN')).toBe(true);
        },
      ),
    );
  });

  it('never recommends when a department left out any fact that a rule needs', () => {
    for (const product of products)
      for (const { when } of rules.rules)
        for (const path of Object.keys(when)) {
          const [department = '', name = ''] = path.split('.');
          if (!product.departments.includes(department)) continue;
          const sources = cleanSources(product).map((source) => {
            if (source.department !== department) return source;
            const { [name]: _, ...rest } = source.facts ?? {};
            return { ...source, facts: rest };
          });
          expect([path, assess(sources, product, rules).conclusion]).not.toEqual([path, 'RECOMMEND']);
        }
  });

  it('takes a fact of another type for unknown', () => {
    const sources = cleanSources(standard).map((source) =>
      source.department === 'courts' ? change(source, { dishonestCount: '0' }) : source,
    );
    expect(assess(sources, standard, rules)).toMatchObject({ conclusion: 'UNKNOWN', score: null });
  });

  it('never gets better by an adverse finding more', () => {
    const rank = { RECOMMEND: 3, REVIEW: 2, DECLINE: 1, UNKNOWN: 0 } as const;
    const paths = Object.entries(WORSE).flatMap(([department, facts]) =>
      Object.entries(facts).map(([name, values]) => ({
        path: `${department}.${name}`,
        worst: values.length - 1,
      })),
    );
    fc.assert(
      fc.property(
        someProduct,
        someFacts,
        fc.constantFrom(...paths),
        fc.option(fc.tuple(fc.nat(9), someStatus), { nil: null }),
        (product, badness, { path, worst }, lost) => {
          const [before, after] = [
            badness,
            { ...badness, [path]: Math.min(worst, (badness[path] ?? 0) + 1) },
          ].map((facts) => {
            const sources = withFacts(product, facts);
            const at = (lost?.[0] ?? 0) % sources.length;
            if (lost) sources[at] = unknown(product.departments[at] ?? '', lost[1]);
            return assess(sources, product, rules);
          });
          expect(rank[after?.conclusion ?? 'RECOMMEND']).toBeLessThanOrEqual(
            rank[before?.conclusion ?? 'UNKNOWN'],
          );
          expect(after?.score ?? 0).toBeLessThanOrEqual(before?.score ?? 0);
        },
      ),
    );
  });

  it('concludes nothing below the completeness that the product demands', () => {
    const sources = standard.departments.map((department) => unknown(department, 'UNAVAILABLE'));
    expect(completenessOf(sources, standard)).toBe(0);
    expect(assess(sources, standard, rules)).toMatchObject({ conclusion: 'UNKNOWN', score: null });
  });

  it('counts no record and stale records as answers', () => {
    const sources = cleanSources(standard).map((source, at) => ({
      ...source,
      status: at === 0 ? ('STALE' as const) : ('NONE_FOUND' as const),
    }));
    expect(completenessOf(sources, standard)).toBe(1);
  });

  it('never counts what is older than its update cycle in favour of a subject, and still counts it against', () => {
    fc.assert(
      fc.property(someProduct, someFacts, fc.nat(9), (product, badness, place) => {
        const fresh = withFacts(product, badness);
        const old = fresh.map((source, at) =>
          at === place % fresh.length ? { ...source, status: 'STALE' as const } : source,
        );
        const [before, after] = [assess(fresh, product, rules), assess(old, product, rules)];
        expect(after.conclusion).not.toBe('RECOMMEND');
        expect(after.score).toBeLessThanOrEqual(before.score ?? 0);
        if (before.conclusion === 'DECLINE') expect(after.conclusion).toBe('DECLINE');
        expect(after.reasons.map(({ rule }) => rule)).toContain(
          `${product.departments[place % fresh.length] ?? ''}.stale`,
        );
      }),
    );
  });

  it('has the same digest for the same facts in whatever order and time, and another for other facts', () => {
    const sources = cleanSources(standard);
    const digest = (some: SourceFacts[]) => assess(some, standard, rules).snapshotHash;
    const [first, ...rest] = sources as [SourceFacts, ...SourceFacts[]];
    expect(digest([...sources].reverse())).toBe(digest(sources));
    expect(digest([{ ...first, elapsedMs: 999 }, ...rest])).toBe(digest(sources));
    expect(digest([change(first, { years: 11 }), ...rest])).not.toBe(digest(sources));
    expect(digest(sources)).toMatch(/^sm3:[0-9a-f]{64}$/);
  });
});

describe('the rules', () => {
  const good = {
    id: 'x',
    when: { 'tax.grade': { is: 'A' } },
    effect: 'PLUS',
    points: 5,
    zh: '一',
    en: 'one',
    basis: '法',
  };
  const withRule = (change: object) =>
    parseRules({ version: '1', baseScore: 60, rules: [{ ...good, ...change }] });

  it.each([
    ['an operator that is not in the language', { when: { 'tax.grade': { matches: 'A.*' } } }],
    ['two operators on one fact', { when: { 'tax.arrearsTotal': { above: 1, below: 2 } } }],
    ['no condition at all', { when: {} }],
    ['points in favour under an adverse effect', { effect: 'REVIEW', points: 5 }],
    ['no legal basis', { basis: '' }],
  ])('are refused with %s', (_, change) => {
    expect(() => withRule({})).not.toThrow();
    expect(() => withRule(change)).toThrow();
  });

  it('have ids of their own and speak only of departments that some product asks', () => {
    const ids = rules.rules.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const asked = new Set(products.flatMap(({ departments }) => departments));
    for (const { when } of rules.rules)
      for (const path of Object.keys(when)) expect(asked).toContain(path.split('.')[0]);
  });
});
