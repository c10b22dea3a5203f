/**
 * `npm run audit:verify [-- --heads FILE --key PUBLIC.pem]`: whether the audit log is what was written. Exit code 1: it is
 * not; 2: it could not be found out.
 */
import { Command } from 'commander';
import { readFileSync } from 'node:fs';
import pg from 'pg';
import { createAuditStore, readPublished } from '../gateway/evidence/audit-store.ts';
import type { AuditVerdict } from '../gateway/evidence/audit-verify.ts';
import { FINDINGS, verifyAudit } from '../gateway/evidence/audit-verify.ts';
import { isProduction } from '../schema/keys.ts';
import { loadAuditVerifier } from '../schema/signatures/keys.ts';
import { findRunningAudit } from './running-audit.ts';

const command = new Command('audit:verify')
  .description('Verifies the audit log: every hash, every signed head, the index of subjects.')
  .option('--heads <file>', 'the published heads; left out: JINXIN_AUDIT_HEADS, or those of npm start')
  .option('--key <pem...>', 'files with the public keys that signed heads; left out: the sandbox’s')
  .option('--url <url>', 'the log’s PostgreSQL; left out: JINXIN_PLATFORM_URL, or that of npm start')
  .parse();

async function verify(): Promise<AuditVerdict> {
  const options = command.opts<{ heads?: string; key?: string[]; url?: string }>();
  const running = findRunningAudit(process.env);
  const url = options.url ?? process.env['JINXIN_PLATFORM_URL'] ?? running?.platformUrl;
  const heads = options.heads ?? process.env['JINXIN_AUDIT_HEADS'] ?? running?.heads;
  if (url === undefined || heads === undefined)
    throw new Error(
      '未找到运行中的平台。 Name the log: --url (JINXIN_PLATFORM_URL) and --heads (JINXIN_AUDIT_HEADS), or run npm start.',
    );
  if (options.key === undefined && isProduction(process.env))
    throw new Error('生产环境须给出公钥。 In production name the public key: --key PUBLIC.pem');
  const verifiers = options.key?.map((file) => loadAuditVerifier(readFileSync(file, 'utf8'))) ?? [
    loadAuditVerifier(undefined),
  ];
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    // Before the snapshot: see readPublished.
    const published = await readPublished(heads);
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    return await verifyAudit(createAuditStore(client), published, verifiers, showProgress);
  } finally {
    await client.end();
  }
}

let shownAt = performance.now();

/** A line each second, and none for a log that takes less. */
function showProgress(seq: number): void {
  if (performance.now() - shownAt < 1_000) return;
  shownAt = performance.now();
  console.error(`… ${seq}`);
}

function show(verdict: AuditVerdict): void {
  const { records, from, to, heads, publishedHeads, unpublished, torn, breaches, findings } = verdict;
  console.log(
    `审计日志 The audit log: ${records} 条记录 records (${from + 1}–${to}), 链头 heads ${heads}, 已公布 published ${publishedHeads}`,
  );
  if (from > 0) console.log(`  第 ${from} 条及以前不在此链中核验。 The chain is followed from ${from} on.`);
  if (unpublished > 0)
    console.log(
      `  ${unpublished} 个链头未见于第二存放处（进程中断或其行被删除）。 Heads that the second sink does not have: a process ended between the two, or lines were removed.`,
    );
  if (torn > 0) console.log(`  第二存放处有 ${torn} 行不完整。 Torn lines in the second sink.`);
  for (const { kind, seq, detail } of findings) {
    const [zh, en] = FINDINGS[kind];
    const where = seq === null ? '' : ` ${seq}`;
    console.log(`✗ ${kind}${where}: ${zh}。 ${en}${detail === '' ? '' : ` (${detail})`}.`);
  }
  if (breaches > findings.length) console.log(`… ${breaches - findings.length} 处未列出。 more not listed.`);
  console.log(
    breaches === 0
      ? '✓ 日志完整，未被改动。 The log is whole and unchanged.'
      : `日志有 ${breaches} 处不符。 The log does not hold: ${breaches} breaches.`,
  );
}

try {
  const verdict = await verify();
  show(verdict);
  process.exitCode = verdict.breaches === 0 ? 0 : 1;
} catch (error) {
  console.error(
    `无法核验。 Could not be verified: ${error instanceof Error ? error.message : String(error)}`,
  );
  process.exitCode = 2;
}
