/** One line of the audit log: who was shown or denied what, of whom, why, and on which decisions. */
export interface AuditRecord {
  /** Names the record where it is read: in the subject's access log, in a review. */
  readonly id: string;
  readonly at: string;
  readonly principal: { readonly kind: string; readonly id: string; readonly department?: string };
  readonly purpose: string;
  /** Digest of the operation's text. */
  readonly operation: string;
  /**
   * INTENDED: made before a mutation is carried out, or before a denial is told; DISCLOSED: non-public items leave with the
   * answer; DENIED: nothing but denials does; WITHHELD: what was recorded under `supersedes` did not leave after all.
   */
  readonly result: 'INTENDED' | 'DISCLOSED' | 'DENIED' | 'WITHHELD';
  /** SubjectIds of the platform; for persons these are sealed, so that the log never holds an ID number. */
  readonly subjects: readonly string[];
  /** Consents that the answer rests on. */
  readonly consents: readonly string[];
  /** Items of the catalogue that are disclosed. */
  readonly items: readonly string[];
  /** Ids of the decisions by which they are. */
  readonly decisions: readonly string[];
  readonly denials: readonly {
    readonly item: string;
    readonly reason: string;
    readonly path: string;
    /** Id of the decision. */
    readonly decision?: string;
  }[];
  /** How each source answered: ANSWERED, CACHED or UNREACHABLE, or the status that a department gave its block. */
  readonly sources: readonly { readonly subgraph: string; readonly status: string }[];
  /** Break-glass releases that the answer rests on. */
  readonly breakGlass: readonly string[];
  /** Id of the record that this one corrects. */
  readonly supersedes: string | null;
  readonly catalogue: string;
  /** SM3 of the canonical answer; null in a record that is made before there is one. */
  readonly answerHash: string | null;
}
