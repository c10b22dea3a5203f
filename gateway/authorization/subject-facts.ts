/** What a decision may know of the subject and the record at hand. */
import type { ConsentGiver } from '../../schema/consent.ts';

/**
 * CURRENT: alive, of age, registered. UNKNOWN: could not be found out; what needs to know it is denied (fail closed).
 */
export const SUBJECT_STATES = ['CURRENT', 'MINOR', 'DECEASED', 'DEREGISTERED', 'UNKNOWN'] as const;
export type SubjectState = (typeof SUBJECT_STATES)[number];

export const RECORD_STATES = ['CURRENT', 'DISPUTED', 'REPAIRED', 'EXPIRED', 'SEALED'] as const;
export type RecordState = (typeof RECORD_STATES)[number];

/** Stands for every item in the standing consents of a sandbox. */
export const EVERY_ITEM = '*';

/** A live consent of the subject for this consumer and purpose. */
export interface ConsentFact {
  readonly id: string;
  readonly items: ReadonlySet<string>;
  /** Items consented to in writing after a warning of the consequences. */
  readonly written: ReadonlySet<string>;
  readonly givenBy: ConsentGiver;
}

/** An open break-glass release of this officer for the subject. */
export interface ReleaseFact {
  readonly id: string;
  readonly items: ReadonlySet<string>;
}

export interface SubjectFacts {
  readonly isSelf: boolean;
  readonly state: SubjectState;
  /** null: could not be found out. */
  readonly consents: readonly ConsentFact[] | null;
  readonly releases: readonly ReleaseFact[] | null;
}

/** Of somebody of whom nothing speaks for a disclosure. */
export const NO_FACTS: SubjectFacts = { isSelf: false, state: 'CURRENT', consents: [], releases: [] };

export const names = (items: ReadonlySet<string>, item: string): boolean =>
  items.has(item) || items.has(EVERY_ITEM);
