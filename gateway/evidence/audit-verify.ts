/**
 * Whether the audit log is what was written. Walks it from the start in batches, so a log of any length needs no more memory
 * than a short one, and says of everything that does not fit what and where.
 *
 * What it takes to deceive it: the key of the heads, and write access to the log's store and to the second sink. One or two
 * of the three are not enough, except that who can cut the end off both the log and the sink is not found by what is left.
 */
import { z } from 'zod';
import type { AuditLink, ChainEnd } from './audit-chain.ts';
import { chainHash, firstFormHash, GENESIS } from './audit-chain.ts';
import type { AuditHead, HeadVerifiers } from './audit-head.ts';
import { isTornHead, readHead } from './audit-head.ts';

export interface SubjectEntry {
  readonly subject: string;
  readonly at: Date;
  readonly seq: number;
  readonly id: string;
}

/** A log as it lies somewhere: in PostgreSQL (audit-store.ts), or in memory. */
export interface AuditSource {
  /** Ascending by seq. */
  links(): AsyncIterable<readonly AuditLink[]>;
  /** Heads in the store, ascending by seq. */
  heads(): AsyncIterable<readonly { readonly seq: number; readonly head: string }[]>;
  /** Entries of the subjects' index later than `after` and not later than `until`; null has no bound. */
  entries(after: Date | null, until: Date | null): Promise<readonly SubjectEntry[]>;
  /** Links at these places, for heads that were published elsewhere. */
  linksAt(seqs: readonly number[]): Promise<readonly Pick<AuditLink, 'seq' | 'at' | 'hash'>[]>;
  /** Where the store says that the chain stands. */
  end(): Promise<ChainEnd>;
  /** The log's first form, where there is one (audit-tables.ts): the first link follows its last. */
  firstForm(): AsyncIterable<readonly Omit<AuditLink, 'id'>[]>;
  /** Closing heads of what was retired, ascending by seq. */
  closings(): Promise<readonly string[]>;
}

export const FINDINGS = {
  EDITED: ['记录或其哈希被改动', 'a record or its hash was changed'],
  MISSING: ['记录缺失', 'records are missing'],
  OUT_OF_PLACE: ['记录位置重复或颠倒', 'a record stands at a place that was taken or passed'],
  TIME: ['时间早于前一条记录', 'a record is earlier than the one before it'],
  RECORD: ['记录不可读或编号不符', 'a record cannot be read, or its id is another'],
  INDEX: ['主体索引与记录不符', 'the index of subjects does not say what the records say'],
  HEAD: ['链头与日志不符：日志被重写', 'a signed head does not fit the log: it was written anew'],
  FORGED_HEAD: [
    '链头无效：被改动或非本平台签发',
    'a head is no head of this log: changed, or not signed by its key',
  ],
  UNSIGNED: ['末尾记录没有签名的链头', 'the last records have no signed head in the store'],
  CUT: ['日志末尾被截断', 'the end of the log was cut off'],
  UNPUBLISHED: [
    '第二存放处没有本日志的链头：无法判断末尾是否被截断',
    'the second sink has no head of this log: whether its end was cut off cannot be told',
  ],
  END: ['链尾登记与日志不符', 'the store says that the chain ends elsewhere than it does'],
} as const;

export interface Finding {
  readonly kind: keyof typeof FINDINGS;
  /** Where in the log, or null when it speaks of no place. */
  readonly seq: number | null;
  readonly detail: string;
}

export interface AuditVerdict {
  readonly records: number;
  /** Where the log begins: 0, or the last link that was retired. */
  readonly from: number;
  readonly to: number;
  readonly heads: number;
  readonly publishedHeads: number;
  /** Heads of the store that the sink does not have: their records were not told to be durable, or the sink lost lines. */
  readonly unpublished: number;
  /** Lines of the sink that a full disk or a power cut left torn. */
  readonly torn: number;
  readonly breaches: number;
  /** The first hundred breaches, in the order in which they were met. */
  readonly findings: readonly Finding[];
}

const MOST_FINDINGS = 100;
const recordSchema = z.object({ id: z.string(), subjects: z.array(z.string()) });

/**
 * `published`: lines of the second sink, in any order. Throws what the source throws: a log that could not be read is not
 * one that was found intact.
 */
export async function verifyAudit(
  source: AuditSource,
  published: AsyncIterable<string> | Iterable<string>,
  verifiers: HeadVerifiers,
  onProgress: (seq: number) => void = () => undefined,
): Promise<AuditVerdict> {
  const findings: Finding[] = [];
  let breaches = 0;
  const find = (kind: Finding['kind'], seq: number | null, detail: string) => {
    breaches += 1;
    if (findings.length < MOST_FINDINGS) findings.push({ kind, seq, detail });
  };

  const start = await findStart(source, verifiers, find);
  const chain = await walkChain(source, start, find, onProgress);
  const store = await walkHeads(source, start, chain.last, verifiers, find);
  const sink = await checkPublished(source, published, start, chain.last, verifiers, find);
  return {
    records: chain.records,
    from: start.seq,
    to: chain.last.seq,
    heads: store.heads,
    publishedHeads: sink.heads,
    unpublished: Math.max(0, store.heads - sink.live),
    torn: sink.torn,
    breaches,
    findings,
  };
}

type Find = (kind: Finding['kind'], seq: number | null, detail: string) => void;

/** The newest closing head; without one the end of the log's first form, or the genesis. */
async function findStart(source: AuditSource, verifiers: HeadVerifiers, find: Find): Promise<ChainEnd> {
  let start = GENESIS;
  for await (const batch of source.firstForm())
    for (const link of batch) {
      if (link.seq !== start.seq + 1) find('MISSING', start.seq + 1, 'in the first form of the log');
      else if (!firstFormHash(start.hash, link.seq, link.record).equals(link.hash))
        find('EDITED', link.seq, 'in the first form of the log');
      start = link;
    }
  for (const line of await source.closings()) {
    const head = readHead(verifiers, line);
    if (head?.kind !== 'AUDIT_CLOSING') find('FORGED_HEAD', null, 'a closing head in the store');
    else if (head.seq > start.seq) start = toEnd(head);
  }
  return start;
}

async function walkChain(
  source: AuditSource,
  start: ChainEnd,
  find: Find,
  onProgress: (seq: number) => void,
): Promise<{ last: ChainEnd; records: number }> {
  const index = createIndexCheck(source, find);
  let last = start;
  let records = 0;
  for await (const batch of source.links()) {
    for (const link of batch) {
      if (link.seq > last.seq + 1)
        find('MISSING', last.seq + 1, link.seq === last.seq + 2 ? '' : `to ${link.seq - 1}`);
      else if (link.seq <= last.seq) find('OUT_OF_PLACE', link.seq, `after ${last.seq}`);
      else if (!chainHash(last.hash, link).equals(link.hash)) find('EDITED', link.seq, '');
      if (link.at < last.at) find('TIME', link.seq, link.at.toISOString());
      // From its own word on: one changed record is one finding, not as many as come after it.
      last = link;
      records += 1;
      index.expect(link, toRecord(link, find));
    }
    if (batch.length > 0) await index.compare(last.at);
    onProgress(last.seq);
  }
  await index.compare(null);
  const end = await source.end();
  if (end.seq !== last.seq || !end.hash.equals(last.hash) || end.at.getTime() !== last.at.getTime())
    find('END', end.seq, `the log ends at ${last.seq}`);
  return { last, records };
}

function toRecord(link: AuditLink, find: Find): { readonly subjects: readonly string[] } {
  let json: unknown;
  try {
    json = JSON.parse(link.record);
  } catch {
    json = null;
  }
  const parsed = recordSchema.safeParse(json);
  if (!parsed.success || parsed.data.id !== link.id) find('RECORD', link.seq, link.id);
  return parsed.success ? parsed.data : { subjects: [] };
}

/** Holds the index against the records, moment by moment, so that an entry that belongs to no record is met as well. */
function createIndexCheck(source: AuditSource, find: Find) {
  let reached: Date | null = null;
  let expected = new Map<string, number>();
  let seen = new Map<string, number>();
  const keyOf = ({ subject, at, seq, id }: SubjectEntry) => `${seq}\0${at.getTime()}\0${id}\0${subject}`;
  return {
    expect(link: AuditLink, { subjects }: { readonly subjects: readonly string[] }) {
      for (const subject of new Set(subjects)) expected.set(keyOf({ ...link, subject }), link.seq);
    },
    /** Reads on to `until`; what is left over at that very moment may belong to the next batch, and waits. */
    async compare(until: Date | null) {
      if (until !== null && reached !== null && until < reached) return;
      for (const entry of await source.entries(reached, until)) seen.set(keyOf(entry), entry.seq);
      reached = until ?? reached;
      for (const key of seen.keys()) if (expected.delete(key)) seen.delete(key);
      const isWaiting = (key: string) => until !== null && key.split('\0')[1] === String(until.getTime());
      for (const [key, seq] of expected) if (!isWaiting(key)) find('INDEX', seq, 'an entry is missing');
      for (const [key, seq] of seen) if (!isWaiting(key)) find('INDEX', seq, 'an entry belongs to no record');
      expected = new Map([...expected].filter(([key]) => isWaiting(key)));
      seen = new Map([...seen].filter(([key]) => isWaiting(key)));
    },
  };
}

/** Each group's head, made with it: who has no key cannot add a group, nor hash one anew. */
async function walkHeads(
  source: AuditSource,
  start: ChainEnd,
  last: ChainEnd,
  verifiers: HeadVerifiers,
  find: Find,
): Promise<{ heads: number }> {
  let heads = 0;
  let signed = start.seq;
  for await (const batch of source.heads()) {
    const read = batch.flatMap(({ seq, head: line }) => {
      const head = readHead(verifiers, line);
      if (head?.kind === 'AUDIT_HEAD' && head.seq === seq) return [head];
      find('FORGED_HEAD', seq, 'in the store');
      return [];
    });
    heads += read.length;
    for (const head of await unfitting(source, read)) find('HEAD', head.seq, 'in the store');
    signed = Math.max(signed, ...read.map(({ seq }) => seq));
  }
  if (signed < last.seq) find('UNSIGNED', signed + 1, `to ${last.seq}`);
  if (signed > last.seq) find('CUT', last.seq + 1, `a head in the store speaks of ${signed}`);
  return { heads };
}

const BATCH = 1_000;

async function checkPublished(
  source: AuditSource,
  published: AsyncIterable<string> | Iterable<string>,
  start: ChainEnd,
  last: ChainEnd,
  verifiers: HeadVerifiers,
  find: Find,
): Promise<{ heads: number; live: number; torn: number }> {
  let [heads, live, torn, number, furthest] = [0, 0, 0, 0, 0];
  let waiting: AuditHead[] = [];
  const compare = async () => {
    for (const head of await unfitting(source, waiting)) find('HEAD', head.seq, 'in the second sink');
    waiting = [];
  };
  for await (const line of published) {
    number += 1;
    if (line === '') continue;
    const head = readHead(verifiers, line);
    if (head === null) {
      if (isTornHead(line)) torn += 1;
      else find('FORGED_HEAD', null, `line ${number} of the second sink`);
      continue;
    }
    heads += 1;
    furthest = Math.max(furthest, head.seq);
    // What was retired can no longer be looked up; that it was is signed as well.
    if (head.seq <= start.seq) continue;
    if (head.kind === 'AUDIT_HEAD') live += 1;
    if (head.seq <= last.seq) waiting.push(head);
    if (waiting.length >= BATCH) await compare();
  }
  await compare();
  if (furthest === 0 && last.seq > start.seq) find('UNPUBLISHED', null, '');
  if (furthest > last.seq)
    find('CUT', last.seq + 1, `a head in the second sink speaks of ${furthest}; the log ends at ${last.seq}`);
  return { heads, live, torn };
}

async function unfitting(source: AuditSource, heads: readonly AuditHead[]): Promise<readonly AuditHead[]> {
  if (heads.length === 0) return [];
  const links = new Map((await source.linksAt(heads.map(({ seq }) => seq))).map((link) => [link.seq, link]));
  return heads.filter((head) => {
    const link = links.get(head.seq);
    return !link || link.hash.toString('hex') !== head.hash || link.at.toISOString() !== head.at;
  });
}

function toEnd({ seq, at, hash }: AuditHead): ChainEnd {
  return { seq, at: new Date(at), hash: Buffer.from(hash, 'hex') };
}
