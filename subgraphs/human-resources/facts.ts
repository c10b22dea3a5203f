/** What 人社 says about an employer, in the words of the graph. */

/** The block's data fields, under the names of the schema. */
export interface HumanResourcesFacts {
  readonly insuredCount: number | null;
  readonly insuredCountBand: CountBand | null;
  readonly continuousMonths: number | null;
  readonly hasSocialInsuranceArrears: boolean | null;
  readonly insurances: readonly Insurance[];
  readonly wageArrears: readonly WageArrears[];
}

export interface Insurance {
  readonly kind: 'OLD_AGE' | 'OLD_AGE_PUBLIC' | 'UNEMPLOYMENT' | 'WORK_INJURY';
  readonly state: 'ACTIVE' | 'SUSPENDED' | 'ENDED';
  /** YYYY-MM. */
  readonly paidThrough: string;
  readonly payment: 'PAID' | 'OWED' | 'DEFERRED';
}

/** Amount in yuan. */
export interface WageArrears {
  readonly documentNumber: string;
  readonly authority: string;
  readonly legalBasis: string;
  readonly decidedOn: string;
  readonly publishedFrom: string;
  readonly publishedUntil: string;
  readonly catalogueItem: string;
  readonly underObjection: boolean;
  readonly workers: number;
  readonly amount: number;
  readonly responsiblePerson: string | null;
}

const BANDS = [
  { below: 10, band: 'UNDER_10' },
  { below: 50, band: 'FROM_10_TO_49' },
  { below: 100, band: 'FROM_50_TO_99' },
  { below: 300, band: 'FROM_100_TO_299' },
  { below: 1_000, band: 'FROM_300_TO_999' },
  { below: Infinity, band: 'FROM_1000' },
] as const;
export type CountBand = (typeof BANDS)[number]['band'];

/** Zero has no band of its own: it would tell the figure itself. */
export const toCountBand = (count: number): CountBand =>
  BANDS.find(({ below }) => count < below)?.band ?? 'FROM_1000';

export const NO_FACTS: HumanResourcesFacts = {
  insuredCount: null,
  insuredCountBand: null,
  continuousMonths: null,
  hasSocialInsuranceArrears: null,
  insurances: [],
  wageArrears: [],
};

/** False when nothing that may be shown is left: a removed or past listing leaves no trace, not even in the status. */
export const hasAny = ({ insurances, wageArrears }: HumanResourcesFacts): boolean =>
  insurances.length > 0 || wageArrears.length > 0;

/**
 * What the assessment's rules may use. `findings`: listings, disputed or not, and contributions that are owed.
 * - `insuredCount`, `continuousMonths`, `socialInsuranceArrears`: null when the bureau has no insurance on record
 * - `wageArrearsListed`: without disputed listings, which carry their mark but are not scored
 */
export function summarise(facts: HumanResourcesFacts) {
  return {
    findings: facts.wageArrears.length + (facts.hasSocialInsuranceArrears === true ? 1 : 0),
    facts: {
      insuredCount: facts.insuredCount,
      continuousMonths: facts.continuousMonths,
      socialInsuranceArrears: facts.hasSocialInsuranceArrears,
      wageArrearsListed: facts.wageArrears.some(({ underObjection }) => !underObjection),
    },
  };
}
