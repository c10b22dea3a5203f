/** A decision: what it says, on which ground, and the id by which an answer, a record and a lawyer speak of it. */
import { createHash } from 'node:crypto';
import type { Grant } from '../../schema/catalogue.ts';
import type { MaskKind } from '../../schema/identifiers/mask.ts';

/** What a grant can ask for beside kind and purpose. */
export type Requirement = NonNullable<Grant['requires']>;

export type AllowReason =
  | 'PUBLIC' // the item is public
  | 'GRANTED' // the catalogue grants it to this kind of principal for this purpose
  | 'SELF' // the principal is the subject, or acts for it
  | 'CONSENT' // the subject's consent names it
  | 'BREAK_GLASS'; // an officer's open release names it

export type DenialReason =
  | 'UNKNOWN_ITEM' // no catalogue speaks of it
  | 'LAW_FORBIDS' // the law forbids to share it at all
  | 'LAW_SEALS' // it is sealed by law
  | 'NOT_SHARED' // 不予共享: it does not leave the platform
  | 'NOT_GRANTED' // the catalogue does not grant it to this kind of principal for this purpose
  | 'NOT_SELF' // granted only to the subject itself
  | 'CONSENT_REQUIRED' // granted only with the subject's live consent, and there is none that names it
  | 'WRITTEN_CONSENT_REQUIRED' // there is a consent, but not in writing after a warning of the consequences
  | 'GUARDIAN_REQUIRED' // the consent of a minor that the guardian did not give
  | 'SUBJECT_DECEASED'
  | 'SUBJECT_DEREGISTERED'
  | 'BREAK_GLASS_REQUIRED' // granted only under an open release
  | 'NOT_KNOWN' // what the decision needs could not be found out: nothing is disclosed on trust
  | 'RECORD_EXPIRED' // its publication is over
  | 'RECORD_REPAIRED'
  | 'RECORD_SEALED';

interface Ground {
  /** The same for the same principal kind, purpose, item, outcome, catalogue and law; 16 characters. */
  readonly id: string;
  readonly item: string;
  /** Clauses: of the catalogue's item, and of the law where it decided. */
  readonly basis: readonly string[];
}

export interface Allowed extends Ground {
  readonly effect: 'allow';
  readonly reason: AllowReason;
  readonly mask?: MaskKind;
  /** Id of the consent or release that it rests on. */
  readonly by?: string;
  /** The record is disputed: it may only leave with its mark. */
  readonly mustMark?: true;
}

/** Cannot be said before the subject is known: one of `requires` must hold. */
export interface Undecided extends Ground {
  readonly effect: 'ask';
  readonly reason: 'NEEDS_SUBJECT';
  readonly requires: readonly Requirement[];
  readonly mask?: MaskKind;
}

export interface Denied extends Ground {
  readonly effect: 'deny';
  readonly reason: DenialReason;
  /** What the principal is told: a reason that would tell something of the subject is told as the consent that is missing. */
  readonly told: DenialReason;
}

export type FinalDecision = Allowed | Denied;
export type Decision = FinalDecision | Undecided;

/** Denials that speak of a person's state. That an organisation was struck off is public: it is told. */
const TELLING: ReadonlySet<DenialReason> = new Set([
  'GUARDIAN_REQUIRED',
  'SUBJECT_DECEASED',
  'WRITTEN_CONSENT_REQUIRED',
]);

export const toToldReason = (reason: DenialReason): DenialReason =>
  TELLING.has(reason) ? 'CONSENT_REQUIRED' : reason;

/** Denials that a consent of the subject could lift. */
export const isForConsent = (told: DenialReason): boolean => told === 'CONSENT_REQUIRED';

/** `parts`: whatever tells two decisions apart, but nothing that the principal is not told. */
export function toDecisionId(parts: readonly (string | undefined)[]): string {
  return createHash('sm3')
    .update(parts.map((part) => part ?? '').join('\0'))
    .digest('base64url')
    .slice(0, 16);
}
