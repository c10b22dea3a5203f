/** Why somebody asks. A purpose is part of every decision; a token grants some, a request states one. */
export const PURPOSES = [
  'PUBLIC_QUERY',
  'LOAN_ORIGINATION',
  'LOAN_MONITORING',
  'OFFICIAL_DUTY',
  /** An investigation by law: the subject reads of it later, when it can no longer be harmed. */
  'INVESTIGATION',
  /** Break-glass: without consent, for a stated reason, narrow, and reviewed afterwards. */
  'EMERGENCY',
  'REGIONAL_EXCHANGE',
  'SELF_ACCESS',
  'OPERATIONS',
  'AUDIT',
] as const;
export type Purpose = (typeof PURPOSES)[number];

/** Who asks, as far as the catalogue tells principals apart. */
export const PRINCIPAL_KINDS = [
  'public',
  'bank',
  'department',
  'partner',
  'subject',
  'association',
  'operator',
  'auditor',
] as const;
export type PrincipalKind = (typeof PRINCIPAL_KINDS)[number];
