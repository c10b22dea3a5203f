/**
 * Who may see what: pure, total, deny by default, the strictest rule wins. The steps stand in the order of their rank: the law
 * before the catalogue, the record's state before any grant, the subject's consent last.
 *
 * Asked twice. Without a subject, for what can be cut before planning; with it, on each representation before its department
 * is asked, and on each adverse record before it is shown.
 */
import type { CatalogueItem, Grant, Rules } from '../../schema/catalogue.ts';
import { grantsFor } from '../../schema/catalogue.ts';
import type { ConsentGiver } from '../../schema/consent.ts';
import { ruleOf } from '../../schema/law.ts';
import type { Principal } from '../../schema/principal.ts';
import type { Allowed, AllowReason, Decision, DenialReason, Denied, Requirement } from './decision.ts';
import { toDecisionId, toToldReason } from './decision.ts';
import type { RecordState, SubjectFacts, SubjectState } from './subject-facts.ts';
import { names } from './subject-facts.ts';

/** Who, why: what a decision knows of a principal. */
export type Asker = Pick<Principal, 'kind' | 'purpose' | 'department'>;

/**
 * The decision on one item. `subject` null: not known yet, so that what depends on it is `ask`. `record`: the state of the
 * adverse record that holds the item; CURRENT for everything else.
 */
export function decide(
  rules: Rules,
  asker: Asker,
  itemId: string,
  subject: SubjectFacts | null,
  record: RecordState = 'CURRENT',
): Decision {
  const item = rules.catalogue.get(itemId);
  const outcomes = createOutcomes(rules, asker, itemId, item);
  if (!item) return outcomes.deny('UNKNOWN_ITEM');
  const { rule, clauses } = ruleOf(rules.law, item);
  if (rule === 'NEVER') return outcomes.deny('LAW_FORBIDS', clauses);
  if (rule === 'SEALED') return outcomes.deny('LAW_SEALS', clauses);
  // 治安管理处罚法第一百三十六条: sealed for everybody, the subject and the auditor too.
  if (record === 'SEALED') return outcomes.deny('RECORD_SEALED');
  if (item.sharing === 'NOT_SHARED' && !INSIDE.has(asker.kind)) return outcomes.deny('NOT_SHARED');
  const grants = grantsFor(item, asker);
  if (grants.length === 0) return outcomes.deny('NOT_GRANTED');
  const granted = decideGrants(outcomes, rules, rule === 'WRITTEN_CONSENT', itemId, grants, subject);
  if (record === 'CURRENT' || granted.effect === 'deny') return granted;
  if (record === 'DISPUTED') return granted.effect === 'allow' ? { ...granted, mustMark: true } : granted;
  return decideAfterPublication(outcomes, rules, asker, subject, granted, record);
}

/** Whom an item that is not shared still concerns: the subject, and those who keep the platform. */
const INSIDE: ReadonlySet<string> = new Set(['subject', 'operator', 'auditor']);

type Outcomes = ReturnType<typeof createOutcomes>;

function decideGrants(
  outcomes: Outcomes,
  rules: Rules,
  needsWriting: boolean,
  item: string,
  grants: readonly Grant[],
  subject: SubjectFacts | null,
): Decision {
  // The strictest grant rules: a mask in any of them masks.
  const mask = grants.find((grant) => grant.mask !== undefined)?.mask;
  const requires = [...new Set(grants.map((grant) => grant.requires))];
  const allow = (reason: AllowReason, by?: string) => outcomes.allow(reason, mask, by);
  if (requires.includes(undefined)) return allow(outcomes.isPublic ? 'PUBLIC' : 'GRANTED');
  if (subject === null) return outcomes.ask(requires as Requirement[], mask);
  if (requires.includes('SELF') && subject.isSelf) return allow('SELF');
  if (requires.includes('BREAK_GLASS')) {
    const release = subject.releases?.find(({ items }) => items.has(item));
    if (release) return allow('BREAK_GLASS', release.id);
    if (!requires.includes('CONSENT'))
      return outcomes.deny(subject.releases === null ? 'NOT_KNOWN' : 'BREAK_GLASS_REQUIRED');
  }
  if (!requires.includes('CONSENT')) return outcomes.deny('NOT_SELF');
  return decideConsent(outcomes, rules, needsWriting, item, subject, allow);
}

function decideConsent(
  outcomes: Outcomes,
  { law }: Rules,
  needsWriting: boolean,
  item: string,
  { consents, state }: SubjectFacts,
  allow: (reason: AllowReason, by?: string) => Allowed,
): Decision {
  if (consents === null) return outcomes.deny('NOT_KNOWN');
  const naming = consents.filter(({ items }) => names(items, item));
  if (naming.length === 0) return outcomes.deny('CONSENT_REQUIRED');
  if (state === 'UNKNOWN') return outcomes.deny('NOT_KNOWN');
  if (state === 'DECEASED') return outcomes.deny('SUBJECT_DECEASED', law.ended.clauses);
  const valid = naming.filter(({ givenBy }) => isOfForce(givenBy, state));
  if (valid.length === 0)
    return state === 'MINOR'
      ? outcomes.deny('GUARDIAN_REQUIRED', law.minor.clauses)
      : outcomes.deny('SUBJECT_DEREGISTERED', law.ended.clauses);
  const written = needsWriting ? valid.filter((consent) => names(consent.written, item)) : valid;
  const [first] = [...written].sort((one, other) => (one.id < other.id ? -1 : 1));
  return first ? allow('CONSENT', first.id) : outcomes.deny('WRITTEN_CONSENT_REQUIRED');
}

/**
 * A minor's own consent does not count (民法典第十九条、第二十条). What an organisation consented to itself holds for its short
 * term after it was struck off, so that its bank is told of the end; what an agent did for it ended with it (第一百七十三条).
 */
function isOfForce(givenBy: ConsentGiver, state: SubjectState): boolean {
  if (state === 'MINOR') return givenBy === 'GUARDIAN';
  return state !== 'DEREGISTERED' || givenBy !== 'AGENT';
}

/** 信用修复管理办法第三条: after repair or the end of publication nobody else learns that the record existed. */
function decideAfterPublication(
  outcomes: Outcomes,
  { law }: Rules,
  { kind }: Asker,
  subject: SubjectFacts | null,
  granted: Decision,
  record: 'REPAIRED' | 'EXPIRED',
): Decision {
  const { principals, self, clauses } = law.afterPublication;
  if (principals.includes(kind)) return granted;
  if (self && kind === 'subject') {
    if (subject?.isSelf) return granted;
    if (subject === null) return outcomes.ask(['SELF'], 'mask' in granted ? granted.mask : undefined);
  }
  return outcomes.deny(record === 'EXPIRED' ? 'RECORD_EXPIRED' : 'RECORD_REPAIRED', clauses);
}

function createOutcomes(rules: Rules, asker: Asker, itemId: string, item: CatalogueItem | undefined) {
  const idOf = (...outcome: readonly (string | undefined)[]) =>
    toDecisionId([rules.version, asker.kind, asker.purpose, asker.department, itemId, ...outcome]);
  const basis = item?.basis ?? [];
  return {
    isPublic: item?.publicity === 'PUBLIC',
    allow: (reason: AllowReason, mask: Grant['mask'], by: string | undefined): Allowed => ({
      effect: 'allow',
      reason,
      item: itemId,
      id: idOf('allow', reason, mask),
      basis,
      ...(mask === undefined ? {} : { mask }),
      ...(by === undefined ? {} : { by }),
    }),
    ask: (requires: readonly Requirement[], mask: Grant['mask']): Decision => ({
      effect: 'ask',
      reason: 'NEEDS_SUBJECT',
      item: itemId,
      id: idOf('ask', requires.join(' '), mask),
      basis,
      requires,
      ...(mask === undefined ? {} : { mask }),
    }),
    deny(reason: DenialReason, clauses: readonly string[] = []): Denied {
      const told = toToldReason(reason);
      return {
        effect: 'deny',
        reason,
        told,
        item: itemId,
        // Of what is told alone: two ids must not tell two states of a subject apart.
        id: idOf('deny', told),
        basis: [...new Set([...basis, ...clauses])],
      };
    },
  };
}

/** All items of one field together: every one must be allowed, the first denial is the reason; undecided when any is. */
export function decideField(decisions: readonly Decision[]): Decision | null {
  const denied = decisions.find(({ effect }) => effect === 'deny');
  if (denied) return denied;
  const masked = decisions.find((decision) => 'mask' in decision && decision.mask !== undefined);
  const mask = masked && 'mask' in masked && masked.mask !== undefined ? { mask: masked.mask } : {};
  const asks = decisions.flatMap((decision) => (decision.effect === 'ask' ? [decision] : []));
  const [first] = asks.length > 0 ? asks : decisions;
  if (!first) return null;
  if (first.effect !== 'ask') return { ...first, ...mask };
  return { ...first, requires: [...new Set(asks.flatMap(({ requires }) => requires))], ...mask };
}
