/** The hash chain of the audit log. Every link covers its place, its moment and its text, and all links before it. */
import { createHash } from 'node:crypto';

/** One row of `evidence.audit_log`. */
export interface AuditLink {
  /** Position, 1 for the first; without gaps. */
  readonly seq: number;
  /** When it was written, by the database's clock: one clock for all processes. Never earlier than that of the link before. */
  readonly at: Date;
  /** The record's own id, again in its text. */
  readonly id: string;
  /** An AuditRecord in JSON, byte for byte as it was hashed. */
  readonly record: string;
  readonly hash: Buffer;
}

/** Where a chain stands: what the next link is hashed over. */
export interface ChainEnd {
  readonly seq: number;
  readonly at: Date;
  readonly hash: Buffer;
}

/** Before the first link. */
export const GENESIS: ChainEnd = { seq: 0, at: new Date(0), hash: Buffer.alloc(32) };

/** SM3 (GB/T 32905) over the hash before, the position, the moment (ISO 8601, milliseconds, UTC) and the text of the record. */
export function chainHash(previous: Buffer, link: Pick<AuditLink, 'seq' | 'at' | 'record'>): Buffer {
  return createHash('sm3')
    .update(previous)
    .update(`${link.seq}\0${link.at.toISOString()}\0`)
    .update(link.record)
    .digest();
}

/** The records as links behind `end`, all at one moment: `now`, or that of the end when the clock was set back. */
export function chainOn(
  end: ChainEnd,
  now: Date,
  records: readonly { readonly id: string; readonly record: string }[],
): readonly AuditLink[] {
  const at = now > end.at ? now : end.at;
  let { seq, hash } = end;
  return records.map(({ id, record }) => {
    seq += 1;
    hash = chainHash(hash, { seq, at, record });
    return { seq, at, id, record, hash };
  });
}

/** The hash of the log's first form, which did not cover the moment; kept to verify what was written in it. */
export function firstFormHash(previous: Buffer, seq: number, text: string): Buffer {
  return createHash('sm3').update(previous).update(String(seq)).update('\0').update(text).digest();
}
