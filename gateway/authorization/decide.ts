/**
 * Who may see what: pure, total, deny by default. First without the subject (what is pruned before planning), then with it
 * (what is decided on a representation, before its department is asked).
 */
import type { Catalogue, Grant } from '../../schema/catalogue.ts';
import { grantsFor } from '../../schema/catalogue.ts';
import type { MaskKind } from '../../schema/identifiers/mask.ts';
import type { Principal } from '../../schema/principal.ts';

export type DenialReason =
  | 'UNKNOWN_ITEM' // no catalogue speaks of it
  | 'NOT_GRANTED' // the catalogue does not grant it to this kind of principal for this purpose
  | 'CONSENT_REQUIRED' // granted only with the subject's live consent, and there is none
  | 'NOT_SELF'; // granted only to the subject itself

/** What a grant can ask for beside kind and purpose. */
export type Requirement = NonNullable<Grant['requires']>;

export type Decision =
  | { readonly effect: 'allow'; readonly mask?: MaskKind }
  /** Cannot be said before the subject is known: one of `requires` must hold. */
  | { readonly effect: 'ask'; readonly requires: readonly Requirement[]; readonly mask?: MaskKind }
  | { readonly effect: 'deny'; readonly reason: DenialReason };

/** What is known of the principal, the purpose and the item alone. */
export function decide(catalogue: Catalogue, principal: Principal, itemId: string): Decision {
  const item = catalogue.get(itemId);
  if (!item) return { effect: 'deny', reason: 'UNKNOWN_ITEM' };
  const grants = grantsFor(item, principal);
  if (grants.length === 0) return { effect: 'deny', reason: 'NOT_GRANTED' };
  // The strictest grant rules: a mask in any of them masks.
  const masked = grants.find(({ mask }) => mask !== undefined)?.mask;
  const mask = masked === undefined ? {} : { mask: masked };
  const requires = grants.map((grant) => grant.requires);
  if (requires.includes(undefined)) return { effect: 'allow', ...mask };
  return { effect: 'ask', requires: [...new Set(requires as Requirement[])], ...mask };
}

/** What is known once the subject is: `consented` are the items of its live consents for this consumer and purpose. */
export function decideWithSubject(
  decision: Decision,
  facts: { readonly item: string; readonly isSelf: boolean; readonly consented: ReadonlySet<string> },
): Exclude<Decision, { effect: 'ask' }> {
  if (decision.effect !== 'ask') return decision;
  const mask = decision.mask === undefined ? {} : { mask: decision.mask };
  const holds =
    (decision.requires.includes('SELF') && facts.isSelf) ||
    (decision.requires.includes('CONSENT') && (facts.consented.has(facts.item) || facts.consented.has('*')));
  if (holds) return { effect: 'allow', ...mask };
  return { effect: 'deny', reason: decision.requires.includes('CONSENT') ? 'CONSENT_REQUIRED' : 'NOT_SELF' };
}

/** All items of one field together: every one must be allowed, the first denial is the reason. */
export function decideField(decisions: readonly Decision[]): Decision {
  const denied = decisions.find(({ effect }) => effect === 'deny');
  if (denied) return denied;
  const masked = decisions.flatMap((decision) =>
    'mask' in decision && decision.mask ? [decision.mask] : [],
  )[0];
  const mask = masked === undefined ? {} : { mask: masked };
  const asks = decisions.flatMap((decision) => (decision.effect === 'ask' ? decision.requires : []));
  return asks.length > 0
    ? { effect: 'ask', requires: [...new Set(asks)], ...mask }
    : { effect: 'allow', ...mask };
}
