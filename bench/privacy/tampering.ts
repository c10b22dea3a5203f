/**
 * Whether every tampering with an audit log is found: on a log that was really written, copied, and held against the same
 * verification that `npm run audit:verify` runs; a part of it in PostgreSQL itself, in transactions that are rolled back.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { startEmbeddedPostgres } from '../../adapters/postgres/embedded.ts';
import { migrate } from '../../adapters/postgres/migrate.ts';
import { createPool } from '../../adapters/postgres/pool.ts';
import { createAuditLog } from '../../gateway/evidence/audit-log.ts';
import { createAuditStore, readPublished } from '../../gateway/evidence/audit-store.ts';
import { AUDIT_MIGRATIONS, makePartitions } from '../../gateway/evidence/audit-tables.ts';
import { verifyAudit } from '../../gateway/evidence/audit-verify.ts';
import { createFileSink } from '../../gateway/evidence/head-sink.ts';
import { loadAuditSuite } from '../../schema/signatures/keys.ts';
import type { SignatureSuite } from '../../schema/signatures/suite.ts';
import { auditRecord } from '../../tests/kit/audit-record.ts';
import { copyAudit, duplicate, toSource } from './evidence/audit-copy.ts';
import { randomFor } from '../../simulators/population/random.ts';
import { TAMPERINGS } from './evidence/tamperings.ts';
import type { Figures, PartOptions } from './shared/part.ts';

const SIZES = {
  bench: { records: 200, rounds: 120, inStore: 8 },
  test: { records: 60, rounds: 6, inStore: 1 },
};

export default async function tampering(options: PartOptions): Promise<Figures> {
  const { seed, print } = options;
  const size = SIZES[options.size];
  const folder = await mkdtemp(join(tmpdir(), 'jinxin-tampering-'));
  const postgres = await startEmbeddedPostgres();
  try {
    const [url, heads] = [await postgres.createDatabase('audit'), join(folder, 'heads.jsonl')];
    await writeLog(url, heads, size.records);
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const verifiers = [remembering(loadAuditSuite(undefined, false))];
    const copy = await snapshot(client, async () =>
      copyAudit(createAuditStore(client), await readPublished(heads)),
    );
    const verify = async (changed: typeof copy) =>
      (await verifyAudit(toSource(changed), changed.published, verifiers)).breaches;
    const random = randomFor(seed, 'tampering', 'places');
    const pick = (below: number) => random.int(0, below - 1);

    let [done, found] = [0, 0];
    for (const [name, tamper] of Object.entries(TAMPERINGS)) {
      let missed = 0;
      for (let round = 0; round < size.rounds; round++) {
        const changed = duplicate(copy);
        tamper(changed, pick);
        if ((await verify(changed)) === 0) missed += 1;
      }
      done += size.rounds;
      found += size.rounds - missed;
      if (missed > 0) print(`tampering: ${name}: ${missed} of ${size.rounds} NOT FOUND`);
    }
    for (const statement of Array.from({ length: size.inStore }, () => IN_STORE).flat()) {
      const breaches = await snapshot(client, async () => {
        const seq = 2 + pick(size.records - 3);
        for (const one of statement.split(';')) await client.query(one.replaceAll('$1', String(seq)));
        const lines = await readPublished(heads);
        return (await verifyAudit(createAuditStore(client, { batch: 40 }), lines, verifiers)).breaches;
      });
      done += 1;
      if (breaches > 0) found += 1;
      else print(`tampering: in the store, NOT FOUND: ${statement}`);
    }
    const untouched =
      (await verify(copy)) +
      (await snapshot(client, async () => {
        const lines = await readPublished(heads);
        return (await verifyAudit(createAuditStore(client, { batch: 40 }), lines, verifiers)).breaches;
      }));
    await client.end();
    print(
      `tampering: ${found} of ${done} found, of ${Object.keys(TAMPERINGS).length + IN_STORE.length} kinds, in a log of ${size.records} records under ${copy.published.length} heads; control: ${untouched} breaches in the untouched log`,
    );
    return { tamperingsFound: found / done, tamperings: done, untouchedBreaches: untouched };
  } finally {
    await postgres.stop();
    await rm(folder, { recursive: true });
  }
}

/** What whoever can write to the database may do there; $1 is a position somewhere in the middle. */
const IN_STORE = [
  `UPDATE evidence.audit_log SET record = replace(record, 'bank-a', 'bank-b') WHERE seq = $1`,
  `UPDATE evidence.audit_log SET hash = sha256(hash) WHERE seq = $1`,
  `UPDATE evidence.audit_log SET at = at + interval '1 microsecond' WHERE seq = $1`,
  `UPDATE evidence.audit_log SET at = at - interval '1 month' WHERE seq = $1`,
  `UPDATE evidence.audit_log SET at = 'infinity' WHERE seq = $1`,
  `DELETE FROM evidence.audit_log WHERE seq = $1`,
  `DELETE FROM evidence.audit_log WHERE seq > $1`,
  `UPDATE evidence.audit_log SET seq = -seq WHERE seq = $1`,
  `INSERT INTO evidence.audit_log SELECT seq, at + interval '1 second', id, record, hash FROM evidence.audit_log WHERE seq = $1`,
  `DELETE FROM evidence.audit_subject WHERE seq = $1`,
  `UPDATE evidence.audit_subject SET at = at - interval '1 day' WHERE seq = $1`,
  `UPDATE evidence.audit_subject SET at = at + interval '1 microsecond' WHERE seq = $1`,
  `INSERT INTO evidence.audit_subject VALUES ('O-added', '1999-01-01', $1, 'x')`,
  `INSERT INTO evidence.audit_subject VALUES ('O-added', 'infinity', $1, 'x')`,
  `UPDATE evidence.audit_head SET head = replace(head, 'AUDIT_HEAD', 'AUDIT_CLOSING') WHERE seq = (SELECT max(seq) FROM evidence.audit_head)`,
  `DELETE FROM evidence.audit_head WHERE seq > $1`,
  `INSERT INTO evidence.audit_closing SELECT seq, head, 'x' FROM evidence.audit_head WHERE seq <= $1 ORDER BY seq DESC LIMIT 1`,
  `UPDATE evidence.audit_end SET at = at + interval '1 hour'`,
  `DELETE FROM evidence.audit_end`,
  `DELETE FROM evidence.audit_log;DELETE FROM evidence.audit_subject;DELETE FROM evidence.audit_head;UPDATE evidence.audit_end SET seq = 0, at = 'epoch', hash = decode(repeat('00', 32), 'hex')`,
];

async function writeLog(url: string, heads: string, records: number): Promise<void> {
  const log = pino({ level: 'silent' });
  const pool = createPool({ url, max: 3, applicationName: 'tampering', log });
  await migrate(pool, 'evidence', AUDIT_MIGRATIONS);
  await makePartitions(pool, new Date());
  const audit = createAuditLog({
    pool,
    suite: loadAuditSuite(undefined, false),
    sink: createFileSink(heads),
    log,
  });
  for (let at = 0; at < records;) {
    const group = Array.from({ length: Math.min(1 + (at % 5), records - at) }, () => at++);
    await Promise.all(
      group.map((one) =>
        audit.append({
          ...auditRecord(String(one)),
          subjects: [`O-${one % 7}`, ...(one % 3 ? [] : ['O-x'])],
        }),
      ),
    );
  }
  await audit.close();
  await pool.end();
}

/** In a transaction of its own that leaves nothing behind. */
async function snapshot<T>(client: pg.Client, work: () => Promise<T>): Promise<T> {
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  try {
    return await work();
  } finally {
    await client.query('ROLLBACK');
  }
}

/** Thousands of logs differ in a line or two: what was verified once is not verified again. */
function remembering(suite: SignatureSuite): Pick<SignatureSuite, 'verify' | 'keyId'> {
  const known = new Map<string, boolean>();
  return {
    keyId: suite.keyId,
    verify(text, signature) {
      const key = `${text}\0${signature}`;
      const verdict = known.get(key) ?? suite.verify(text, signature);
      known.set(key, verdict);
      return verdict;
    },
  };
}
