/** The block's only data field, under the name of the schema. */
export interface PublicSecurityFacts {
  readonly legalRepresentativeCheck: Verdict;
}

export type Verdict = 'MATCH' | 'MISMATCH' | 'NOT_FOUND';

/** What the assessment's rules may use: `verdict`. `findings`: 1 when the check did not confirm the person. */
export function summarise({ legalRepresentativeCheck: verdict }: PublicSecurityFacts) {
  return { findings: verdict === 'MATCH' ? 0 : 1, facts: { verdict } };
}
