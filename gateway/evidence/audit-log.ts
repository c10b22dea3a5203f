/**
 * The audit log: one record per answer that discloses a non-public item or denies one, durable before the answer leaves.
 *
 * Records that arrive together are committed together (group commit) and chained by SM3, each over the one before it. A
 * signed head of each group stands in the store beside it and is published to a second sink before anybody is told that the
 * record is durable: so an edit, a deletion, a change of order, a chain that was hashed anew and an end that was cut off are
 * all found (audit-verify.ts). The store or the sink down, full or slow means AUDIT_UNAVAILABLE and no data.
 */
import type { Pool, PoolClient, QueryResult, QueryResultRow } from 'pg';
import type { Logger } from 'pino';
import { createError } from '../../schema/errors.ts';
import type { Signatures } from '../../schema/signatures/suite.ts';
import type { AuditLink, ChainEnd } from './audit-chain.ts';
import { chainOn } from './audit-chain.ts';
import type { AuditHead } from './audit-head.ts';
import { signHead, toHeadLine } from './audit-head.ts';
import type { AuditRecord } from './audit-record.ts';
import { makePartitions, monthOf } from './audit-tables.ts';
import type { HeadSink } from './head-sink.ts';

export interface AuditLog {
  /** Resolves when the record is durable and its head is published; rejects with AUDIT_UNAVAILABLE. */
  append(record: AuditRecord): Promise<void>;
  /** When what was appended is decided. Closes the sink too. */
  close(): Promise<void>;
}

export interface AuditLogOptions {
  /** Three connections: one writes, one may be a network's that fell silent, one makes partitions. */
  readonly pool: Pool;
  /** Signs the heads. */
  readonly suite: Signatures;
  readonly sink: HeadSink;
  readonly log: Logger;
  /** Milliseconds after which an append is refused, whatever store, sink or the network to them is doing; 5,000. */
  readonly longestMs?: number;
}

interface Waiting {
  readonly record: AuditRecord;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** More at once would make the first of a group wait for the last. */
const LARGEST_GROUP = 1_000;
const PARTITIONS_AGAIN_MS = 60_000;

export function createAuditLog(options: AuditLogOptions): AuditLog {
  const { pool, sink, log, longestMs = 5_000 } = options;
  const keepPartitions = createPartitionKeeper(pool, log);
  let waiting: Waiting[] = [];
  let committing: Promise<void> | null = null;
  const publishing = new Set<Promise<void>>();

  async function commitAll(): Promise<void> {
    while (waiting.length > 0) {
      const group = waiting.slice(0, LARGEST_GROUP);
      waiting = waiting.slice(LARGEST_GROUP);
      const until = performance.now() + longestMs;
      try {
        const records = group.map(({ record }) => record);
        const head = await commit(options, records, until);
        // The next group need not wait for the sink: its own head comes behind this one.
        const published = publish(group, head, until).finally(() => publishing.delete(published));
        publishing.add(published);
      } catch (error) {
        refuse(group, error);
      }
    }
    committing = null;
  }

  async function publish(group: readonly Waiting[], head: AuditHead, until: number): Promise<void> {
    try {
      await within(sink.publish(head), until - performance.now(), 'the head was not published in time');
      for (const { resolve } of group) resolve();
    } catch (error) {
      refuse(group, error);
    }
    keepPartitions(new Date(head.at));
  }

  function refuse(group: readonly Waiting[], error: unknown): void {
    log.error({ err: error }, 'the audit log could not be written');
    for (const { reject } of group) reject(createError('AUDIT_UNAVAILABLE'));
  }

  return {
    append: (record) =>
      new Promise((resolve, reject) => {
        // A record that becomes durable after all is of an answer that nobody got: one too many, never one too few.
        const timer = setTimeout(() => {
          waiting = waiting.filter((one) => one !== entry);
          reject(createError('AUDIT_UNAVAILABLE'));
        }, longestMs);
        const entry: Waiting = {
          record,
          resolve() {
            clearTimeout(timer);
            resolve();
          },
          reject(error) {
            clearTimeout(timer);
            reject(error);
          },
        };
        waiting.push(entry);
        committing ??= commitAll();
      }),
    async close() {
      await committing;
      await Promise.all(publishing);
      await sink.close();
    },
  };
}

/** Commits the records as the next links of the chain, with the head over them, which it returns. */
async function commit(
  { pool, suite }: AuditLogOptions,
  records: readonly AuditRecord[],
  until: number,
): Promise<AuditHead> {
  const client = await connectWithin(pool, until - performance.now());
  let broken: Error | undefined;
  // A connection that breaks between two statements says so by an event, which must not end the process.
  const onError = (error: Error) => (broken = error);
  client.on('error', onError);
  const query = <Row extends QueryResultRow>(text: string, values?: unknown[]) => {
    // The driver's own limit: that of the server is not heard through a network that swallows everything.
    const limited = {
      text,
      ...(values ? { values } : {}),
      query_timeout: Math.max(1, until - performance.now()),
    };
    return client.query<Row>(limited);
  };
  try {
    // The row is locked: writers of all processes queue here, for a chain has one end. One round trip for all of it.
    const opened = (await query(
      `BEGIN;
       SET LOCAL synchronous_commit = on;
       SELECT seq, at, hash, date_trunc('milliseconds', clock_timestamp()) AS now FROM evidence.audit_end FOR UPDATE`,
    )) as unknown as QueryResult<{ seq: string; at: Date; hash: Buffer; now: Date }>[];
    const end = opened.at(-1)?.rows[0];
    if (!end) throw new Error('evidence.audit_end is empty');
    const links = chainOn(
      { seq: Number(end.seq), at: end.at, hash: end.hash },
      end.now,
      records.map((record) => ({ id: record.id, record: JSON.stringify(record) })),
    );
    const head = await signHead(suite, 'AUDIT_HEAD', links.at(-1) as ChainEnd);
    await query(INSERT, toValues(links, records, head));
    await query('COMMIT');
    return head;
  } catch (error) {
    // The connection is thrown away with its open transaction.
    broken = error instanceof Error ? error : new Error(String(error));
    throw error;
  } finally {
    client.release(broken);
    // What is thrown away may still break; what is kept, the pool listens to.
    if (!broken) client.off('error', onError);
  }
}

const INSERT = `
  WITH link AS (
    INSERT INTO evidence.audit_log (seq, at, id, record, hash)
    SELECT seq, $1::timestamptz, id, record, hash
    FROM unnest($2::bigint[], $3::text[], $4::text[], $5::bytea[]) AS new (seq, id, record, hash)
  ), subject AS (
    INSERT INTO evidence.audit_subject (subject_id, at, seq, id)
    SELECT subject_id, $1::timestamptz, seq, id
    FROM unnest($6::text[], $7::bigint[], $8::text[]) AS new (subject_id, seq, id)
  ), head AS (
    INSERT INTO evidence.audit_head (seq, at, head) VALUES ($9::bigint, $1::timestamptz, $10::text)
  )
  UPDATE evidence.audit_end SET seq = $9::bigint, at = $1::timestamptz, hash = $11::bytea`;

function toValues(links: readonly AuditLink[], records: readonly AuditRecord[], head: AuditHead): unknown[] {
  const subjects = links.flatMap(({ seq, id }, at) =>
    [...new Set(records[at]?.subjects)].map((subject) => ({ subject, seq, id })),
  );
  return [
    head.at,
    links.map(({ seq }) => seq),
    links.map(({ id }) => id),
    links.map(({ record }) => record),
    links.map(({ hash }) => hash),
    subjects.map(({ subject }) => subject),
    subjects.map(({ seq }) => seq),
    subjects.map(({ id }) => id),
    head.seq,
    toHeadLine(head),
    links.at(-1)?.hash,
  ];
}

/** Makes the partitions of a new month when its first record has come, beside the requests. What fails is tried again. */
function createPartitionKeeper(pool: Pool, log: Logger): (at: Date) => void {
  // Those of the first month were made before the log was opened.
  let kept: string | null = null;
  let notBefore = 0;
  return (at) => {
    const { name } = monthOf(at);
    kept ??= name;
    if (name === kept || performance.now() < notBefore) return;
    notBefore = performance.now() + PARTITIONS_AGAIN_MS;
    makePartitions(pool, at).then(
      () => (kept = name),
      (error: unknown) => log.warn({ err: error }, 'the partitions of the audit log could not be made'),
    );
  };
}

async function connectWithin(pool: Pool, milliseconds: number): Promise<PoolClient> {
  const connecting = pool.connect();
  try {
    return await within(connecting, milliseconds, 'no connection in time');
  } catch (error) {
    // Whoever comes too late is thrown away; the pool has its own word on what never comes.
    connecting.then(
      (client) => client.release(true),
      () => undefined,
    );
    throw error;
  }
}

async function within<T>(work: Promise<T>, milliseconds: number, otherwise: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(otherwise)), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
