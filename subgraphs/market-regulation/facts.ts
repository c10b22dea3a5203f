/** What the market regulator says about a subject, in the words of the graph. */
import type { Capital } from './capital.ts';

/** The block's data fields, under the names of the schema. */
export interface MarketRegulationFacts {
  readonly registration: Registration | null;
  readonly changes: readonly Change[];
  readonly abnormalOperations: readonly AbnormalListing[];
  readonly seriousViolations: readonly SeriousListing[];
  readonly spotChecks: readonly SpotCheck[];
}

export interface Registration {
  readonly name: string | null;
  readonly formerNames: readonly string[];
  readonly registrationNumber: string | null;
  readonly type: string | null;
  readonly typeCode: string | null;
  readonly capital: Capital;
  /** YYYY-MM-DD, as are all dates here. */
  readonly establishedOn: string | null;
  readonly state: string | null;
  readonly region: Region | null;
  readonly registeredRegion: Region;
  readonly authority: string | null;
  readonly legalRepresentative: string | null;
}

export interface Region {
  readonly code: string;
  readonly name: string | null;
}

export interface Change {
  readonly item: string;
  readonly before: string | null;
  readonly after: string | null;
  readonly changedOn: string;
  readonly authority: string | null;
}

interface AdverseRecord {
  readonly documentNumber: string;
  readonly authority: string | null;
  readonly legalBasis: string;
  readonly decidedOn: string;
  readonly publishedFrom: string;
  readonly publishedUntil: string | null;
  readonly catalogueItem: string;
  readonly underObjection: boolean;
}

export interface AbnormalListing extends AdverseRecord {
  readonly reason: string;
}

export interface SeriousListing extends AdverseRecord {
  readonly facts: string | null;
}

export interface SpotCheck {
  readonly planNumber: string | null;
  readonly task: string | null;
  readonly type: string;
  readonly authority: string | null;
  readonly checkedOn: string;
  readonly result: string;
}

/** False when nothing that may be shown is left: a removed record leaves no trace, not even in the status. */
export const hasAny = ({ registration, ...lists }: MarketRegulationFacts): boolean =>
  registration !== null || Object.values(lists).some((list: readonly unknown[]) => list.length > 0);

/**
 * What the assessment's rules may use. `findings`: listings in force, disputed or not.
 * - `state`: of the registration, null where the register gives none; `establishedOn`; `years`: full years since
 * - `abnormalCount`, `seriousCount`: without disputed listings, which carry their mark but are not held against the subject
 * - `disputedCount`: listings under objection
 * - `capital`: registered capital in yuan, null where it is unknown or in another currency
 */
export function summarise(
  { registration, abnormalOperations, seriousViolations }: MarketRegulationFacts,
  today: string,
) {
  const adverse = [...abnormalOperations, ...seriousViolations];
  const undisputed = (list: readonly AdverseRecord[]) =>
    list.filter(({ underObjection }) => !underObjection).length;
  const { state = null, establishedOn = null, capital } = registration ?? {};
  return {
    findings: adverse.length,
    facts: {
      state,
      establishedOn,
      years: establishedOn === null ? null : fullYears(establishedOn, today),
      abnormalCount: undisputed(abnormalOperations),
      seriousCount: undisputed(seriousViolations),
      disputedCount: adverse.length - undisputed(adverse),
      capital: capital?.currency === 'CNY' ? capital.amount : null,
    },
  };
}

/** Full years from one day to a later one; 0 before the first is over. */
function fullYears(from: string, to: string): number {
  const years = Number(to.slice(0, 4)) - Number(from.slice(0, 4));
  return Math.max(0, to.slice(5) < from.slice(5) ? years - 1 : years);
}
