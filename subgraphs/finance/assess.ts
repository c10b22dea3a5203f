/**
 * The assessment: pure, from what the departments said to a conclusion that can be explained line by line.
 *
 * Unknown is never clean. A source that could not be asked, or a fact that a department did not give, never counts in
 * favour: it leaves a veto undecided (UNKNOWN), and in every other case keeps the conclusion from being RECOMMEND. What is
 * older than its update cycle (STALE) counts against a subject as ever, and never for it.
 */
import { createHash } from 'node:crypto';
import type { Condition, LoanProduct, Rule, Rules } from './rules.ts';
import type { Facts, SourceFacts } from './source.ts';
import { isKnown } from './source.ts';

export type Conclusion = 'RECOMMEND' | 'REVIEW' | 'DECLINE' | 'UNKNOWN';

export interface Reason {
  readonly rule: string;
  readonly effect: Rule['effect'] | 'UNKNOWN';
  readonly zh: string;
  readonly en: string;
  readonly basis: string;
}

export interface Assessment {
  readonly conclusion: Conclusion;
  /** 0 to 100; null unless enough is known for a conclusion. */
  readonly score: number | null;
  readonly reasons: readonly Reason[];
  readonly modelVersion: string;
  readonly snapshotHash: string;
}

/** Whether a rule applies; `unknown` where nobody can say. */
type Outcome = 'applies' | 'not' | 'unknown';

/** Share of the product's required departments whose answer is known, 0 to 1. */
export function completenessOf(sources: readonly SourceFacts[], { required }: LoanProduct): number {
  const known = new Set(sources.filter(isKnown).map(({ department }) => department));
  return required.filter((department) => known.has(department)).length / required.length;
}

/** `sources`: one entry for each department of the product (see source.ts). */
export function assess(sources: readonly SourceFacts[], product: LoanProduct, rules: Rules): Assessment {
  const facts = new Map(sources.map((source) => [source.department, source.facts]));
  const outcomes = rules.rules
    .filter((rule) => departmentsOf(rule).every((department) => product.departments.includes(department)))
    .map((rule) => ({ rule, outcome: evaluate(rule, facts) }));
  const stale = sources.filter(({ status }) => status === 'STALE').map(({ department }) => department);
  const applied = outcomes
    .filter(({ outcome }) => outcome === 'applies')
    .map(({ rule }) => rule)
    .filter((rule) => rule.effect !== 'PLUS' || !departmentsOf(rule).some((one) => stale.includes(one)));
  const undecided = outcomes.filter(({ outcome }) => outcome === 'unknown').map(({ rule }) => rule);
  const unknown = product.departments.filter(
    (department) =>
      !facts.get(department) || undecided.some((rule) => departmentsOf(rule).includes(department)),
  );
  const isDecidable =
    completenessOf(sources, product) >= product.minimumCompleteness &&
    !undecided.some(({ effect }) => effect === 'VETO');
  const score = Math.min(
    100,
    Math.max(
      0,
      applied.reduce((sum, { points }) => sum + points, rules.baseScore),
    ),
  );
  return {
    conclusion: isDecidable
      ? conclude(applied, score, unknown.length + stale.length > 0, product)
      : 'UNKNOWN',
    score: isDecidable ? score : null,
    reasons: [...applied.map(toReason), ...unknown.map(toUnknownReason), ...stale.map(toStaleReason)],
    modelVersion: rules.version,
    snapshotHash: snapshotOf(sources, product, rules),
  };
}

function conclude(
  applied: readonly Rule[],
  score: number,
  isAnythingInDoubt: boolean,
  product: LoanProduct,
): Conclusion {
  if (applied.some(({ effect }) => effect === 'VETO') || score < product.declineBelow) return 'DECLINE';
  if (isAnythingInDoubt || score < product.recommendFrom) return 'REVIEW';
  return applied.some(({ effect }) => effect === 'REVIEW') ? 'REVIEW' : 'RECOMMEND';
}

function evaluate({ when }: Rule, facts: ReadonlyMap<string, Facts | null>): Outcome {
  const outcomes = Object.entries(when).map(([path, condition]): Outcome => {
    const [department = '', name = ''] = path.split('.');
    const fact = facts.get(department)?.[name];
    // Left out is "we could not find out"; null is the department's own word that there is none.
    return fact === undefined ? 'unknown' : test(condition, fact);
  });
  if (outcomes.includes('not')) return 'not';
  return outcomes.includes('unknown') ? 'unknown' : 'applies';
}

function test(condition: Condition, fact: Facts[string]): Outcome {
  if ('is' in condition) return sameKind(fact, [condition.is], fact === condition.is);
  if ('in' in condition) return sameKind(fact, condition.in, condition.in.includes(fact));
  if (fact === null) return 'not';
  if (typeof fact !== 'number') return 'unknown';
  if ('above' in condition) return toOutcome(fact > condition.above);
  if ('atLeast' in condition) return toOutcome(fact >= condition.atLeast);
  if ('below' in condition) return toOutcome(fact < condition.below);
  return toOutcome(fact <= condition.atMost);
}

/** A fact of another type than the rule speaks of has drifted: its meaning is not known any more. */
function sameKind(fact: Facts[string], values: readonly Facts[string][], holds: boolean): Outcome {
  const comparable = fact === null || values.some((value) => value === null || typeof value === typeof fact);
  return comparable ? toOutcome(holds) : 'unknown';
}

const toOutcome = (holds: boolean): Outcome => (holds ? 'applies' : 'not');

const departmentsOf = ({ when }: Rule): readonly string[] =>
  Object.keys(when).map((path) => path.split('.')[0] ?? '');

const toReason = ({ id, effect, zh, en, basis }: Rule): Reason => ({ rule: id, effect, zh, en, basis });

const toUnknownReason = (department: string): Reason => ({
  rule: `${department}.unknown`,
  effect: 'UNKNOWN',
  zh: '该部门情况不明，不作清白处理。',
  en: 'What this department knows is unknown; that is not a clean record.',
  // No article says so: it is the platform's own rule, and says that it is.
  basis: '本评估规则：情况不明不作清白处理',
});

const toStaleReason = (department: string): Reason => ({
  rule: `${department}.stale`,
  effect: 'REVIEW',
  zh: '该部门数据已过更新周期，不作有利依据。',
  en: 'What this department said is older than its update cycle: it does not count in favour.',
  basis: '公共信用信息资源目录编制指南（GB/T 39440）：更新周期',
});

/** SM3 over the facts in a fixed order: equal facts under equal rules have equal digests, whenever they were asked. */
function snapshotOf(sources: readonly SourceFacts[], product: LoanProduct, rules: Rules): string {
  const snapshot = {
    product: product.id,
    rules: rules.version,
    sources: [...sources]
      .sort((one, other) => (one.department < other.department ? -1 : 1))
      .map(({ department, status, asOf, findings, facts }) => ({
        department,
        status,
        asOf,
        findings,
        facts:
          facts && Object.fromEntries(Object.entries(facts).sort(([one], [other]) => (one < other ? -1 : 1))),
      })),
  };
  return `sm3:${createHash('sm3').update(JSON.stringify(snapshot)).digest('hex')}`;
}
