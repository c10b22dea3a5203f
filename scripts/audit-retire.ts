/**
 * `npm run audit:retire -- [--through 2021-11]`: detaches the months of the audit log that were kept for five years, under
 * signed closing heads. Refuses younger ones, and a log that does not verify.
 */
import { Command } from 'commander';
import { createPublicKey } from 'node:crypto';
import pg from 'pg';
import { pino } from 'pino';
import { createPool } from '../adapters/postgres/pool.ts';
import { retireAudit } from '../gateway/evidence/audit-retire.ts';
import { createAuditStore, readPublished } from '../gateway/evidence/audit-store.ts';
import { verifyAudit } from '../gateway/evidence/audit-verify.ts';
import { createFileSink } from '../gateway/evidence/head-sink.ts';
import { isProduction } from '../schema/keys.ts';
import { loadAuditSuite, loadAuditVerifier } from '../schema/signatures/keys.ts';

const { through } = new Command('audit:retire')
  .description(
    'Detaches what the audit log has kept for five years. JINXIN_PLATFORM_URL, JINXIN_AUDIT_HEADS and JINXIN_AUDIT_PRIVATE_KEY as for the gateway.',
  )
  .option('--through <month>', 'the last month to go, such as 2021-11; left out: all that may')
  .parse()
  .opts<{ through?: string }>();

async function retire(): Promise<void> {
  const { JINXIN_PLATFORM_URL: url, JINXIN_AUDIT_HEADS: heads, JINXIN_AUDIT_PRIVATE_KEY: key } = process.env;
  if (!url || !heads) throw new Error('JINXIN_PLATFORM_URL, JINXIN_AUDIT_HEADS: must be set');
  const suite = loadAuditSuite(key, isProduction(process.env));
  const verifier = key
    ? loadAuditVerifier(createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString())
    : loadAuditVerifier(undefined);
  if (!(await holds(url, heads, verifier)))
    throw new Error(
      '日志未通过核验，不予封存。 The log does not verify, so nothing is retired: npm run audit:verify says where.',
    );
  const log = pino({ level: 'silent' });
  const pool = createPool({
    url,
    max: 2,
    applicationName: 'jinxin-audit-retire',
    statementTimeoutMs: 60_000,
    log,
  });
  const sink = createFileSink(heads);
  try {
    const retired = await retireAudit({
      pool,
      suite,
      sink,
      now: new Date(),
      ...(through ? { through } : {}),
    });
    for (const { month, seq } of retired)
      console.log(`已封存 retired: ${month.replace('_', '-')}${seq === null ? '' : `, 至 up to ${seq}`}`);
    console.log(
      retired.length === 0
        ? '没有满五年的月份。 No month is old enough.'
        : '已移入 evidence_retired，可归档。 They lie in the schema evidence_retired: archive them from there.',
    );
  } finally {
    await sink.close();
    await pool.end();
  }
}

async function holds(
  url: string,
  heads: string,
  verifier: ReturnType<typeof loadAuditVerifier>,
): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const published = await readPublished(heads);
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    return (await verifyAudit(createAuditStore(client), published, [verifier])).breaches === 0;
  } finally {
    await client.end();
  }
}

try {
  await retire();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
