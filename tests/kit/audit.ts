/** The audit log for tests: the verdict on a log as the command reaches it. */
import pg from 'pg';
import { createAuditStore, readPublished } from '../../gateway/evidence/audit-store.ts';
import type { AuditVerdict } from '../../gateway/evidence/audit-verify.ts';
import { verifyAudit } from '../../gateway/evidence/audit-verify.ts';
import { loadAuditVerifier } from '../../schema/signatures/keys.ts';

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
