/** A record of the audit log such as a bank's question leaves. */
import type { AuditRecord } from '../../gateway/evidence/audit-record.ts';

export const auditRecord = (operation: string): AuditRecord => ({
  id: `r-${operation}`,
  result: 'DISCLOSED',
  decisions: [],
  sources: [],
  breakGlass: [],
  supersedes: null,
  at: '2026-11-23T00:00:00.000Z',
  principal: { kind: 'bank', id: 'bank-a' },
  purpose: 'LOAN_ORIGINATION',
  operation,
  subjects: [],
  consents: [],
  items: ['tax.grade'],
  denials: [],
  catalogue: '1',
  answerHash: 'x',
});
