/** What the courts say about a subject, in the words of the graph. */
import type { DisruptKind } from './publication.ts';

/** The block's data fields, under the names of the schema. */
export interface CourtFacts {
  readonly dishonestListings: readonly DishonestListing[];
  readonly consumptionRestrictions: readonly ConsumptionRestriction[];
  readonly enforcementCases: readonly EnforcementCase[];
  readonly judgments: readonly Judgment[];
}

interface AdverseRecord {
  readonly documentNumber: string;
  readonly authority: string;
  readonly legalBasis: string;
  readonly decidedOn: string | null;
  readonly publishedFrom: string;
  readonly publishedUntil: string | null;
  readonly catalogueItem: string;
  readonly underObjection: boolean;
}

export interface DishonestListing extends AdverseRecord {
  readonly caseNumber: string;
  readonly court: string;
  readonly kinds: readonly DisruptKind[];
  readonly duty: string;
  readonly performance: 'NOT_PERFORMED' | 'PARTLY_PERFORMED' | 'PERFORMED';
  readonly filedOn: string;
}

export interface ConsumptionRestriction extends AdverseRecord {
  readonly caseNumber: string;
  readonly court: string;
  readonly filedOn: string;
  readonly restrictedPerson: string | null;
}

/** Amounts in yuan. */
export interface EnforcementCase {
  readonly caseNumber: string;
  readonly court: string;
  readonly filedOn: string;
  readonly state: 'IN_PROGRESS' | 'TERMINATED_WITHOUT_ASSETS';
  readonly amount: number;
  readonly outstanding: number;
  readonly terminatedOn: string | null;
}

export interface Judgment {
  readonly caseNumber: string;
  readonly court: string;
  readonly cause: string;
  readonly role: string;
  readonly decidedOn: string;
  readonly documentType: string;
  readonly link: string | null;
}

export const NO_FACTS: CourtFacts = {
  dishonestListings: [],
  consumptionRestrictions: [],
  enforcementCases: [],
  judgments: [],
};

/** False when nothing that may be shown is left: a removed or past record leaves no trace, not even in the status. */
export const hasAny = (facts: CourtFacts): boolean =>
  Object.values(facts).some((list: readonly unknown[]) => list.length > 0);

/**
 * What the assessment's rules may use. `findings`: listings and restrictions, disputed or not.
 * - `dishonestCount`, `consumptionRestricted`: without disputed records, which carry their mark but are not scored
 * - `disputedCount`: adverse records under objection
 * - `enforcementOpenCount`: cases not closed, those terminated for want of assets included: the debt is still there
 * - `enforcementAmount`: what is outstanding in these, yuan
 */
export function summarise(facts: CourtFacts) {
  const adverse = [...facts.dishonestListings, ...facts.consumptionRestrictions];
  const undisputed = (list: readonly AdverseRecord[]) => list.filter(({ underObjection }) => !underObjection);
  const fen = facts.enforcementCases.reduce((sum, { outstanding }) => sum + Math.round(outstanding * 100), 0);
  return {
    findings: adverse.length,
    facts: {
      dishonestCount: undisputed(facts.dishonestListings).length,
      consumptionRestricted: undisputed(facts.consumptionRestrictions).length > 0,
      disputedCount: adverse.length - undisputed(adverse).length,
      enforcementOpenCount: facts.enforcementCases.length,
      enforcementAmount: fen / 100,
    },
  };
}
