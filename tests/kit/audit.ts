/** The audit log for tests: a record, and the verdict on a log as the command reaches it. */
import pg from 'pg';
import type { AuditRecord } from '../../gateway/evidence/audit-record.ts';
import { createAuditStore, readPublished } from '../../gateway/evidence/audit-store.ts';
import type { AuditVerdict } from '../../gateway/evidence/audit-verify.ts';
import { verifyAudit } from '../../gateway/evidence/audit-verify.ts';
import { loadAuditVerifier } from '../../schema/signatures/keys.ts';

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

/** As `npm run audit:verify` does, with the sandbox's key. */
export async function verifyAuditAt(url: string, heads: string, batch = 50): Promise<AuditVerdict> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const published = await readPublished(heads);
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    return await verifyAudit(createAuditStore(client, { batch }), published, [loadAuditVerifier(undefined)]);
  } finally {
    await client.end();
  }
}
