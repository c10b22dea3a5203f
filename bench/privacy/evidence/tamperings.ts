/**
 * What somebody may do to an audit log: clumsily, or as an insider who knows how it is hashed and can write to every table,
 * but does not hold the key of the heads; or to the second sink.
 */
import { generateKeyPairSync } from 'node:crypto';
import { canonicalize } from '../../../schema/canonical.ts';
import { createEd25519Suite } from '../../../schema/signatures/suite.ts';
import type { AuditLink, ChainEnd } from '../../../gateway/evidence/audit-chain.ts';
import { chainHash, GENESIS } from '../../../gateway/evidence/audit-chain.ts';
import type { AuditCopy } from './audit-copy.ts';

type Pick = (below: number) => number;
/** Changes the copy that it is given. Each of them leaves something changed. */
export type Tampering = (copy: AuditCopy, pick: Pick) => void;

const attacker = createEd25519Suite(generateKeyPairSync('ed25519').privateKey);

const at = <T>(list: readonly T[], index: number): T => list[index] as T;
const change = <T>(list: T[], index: number, by: (one: T) => T) => (list[index] = by(at(list, index)));
const later = (moment: Date, ms: number) => new Date(moment.getTime() + ms);

/** Another character at a place of the text: one that leaves JSON what it is, or not. */
function changeText(text: string, pick: Pick): string {
  const place = pick(text.length);
  const now = text.charAt(place);
  const put = [...'aZ0{" '].filter((character) => character !== now);
  return text.slice(0, place) + at(put, pick(put.length)) + text.slice(place + 1);
}

function changeByte(bytes: Buffer, pick: Pick): Buffer {
  const changed = Buffer.from(bytes);
  const place = pick(bytes.length);
  changed[place] = (changed[place] ?? 0) ^ (1 + pick(255));
  return changed;
}

/** As the insider hashes it: renumbered, chained, the end and the index of subjects made to fit. */
function makeFit(copy: AuditCopy): void {
  let previous: ChainEnd = GENESIS;
  copy.links = copy.links.map((link) => {
    const placed = { ...link, seq: previous.seq + 1, at: link.at > previous.at ? link.at : previous.at };
    previous = { ...placed, hash: chainHash(previous.hash, placed) };
    return { ...placed, hash: previous.hash };
  });
  copy.end = previous;
  copy.entries = copy.links.flatMap((link) => {
    const { subjects } = JSON.parse(link.record) as { subjects: string[] };
    return subjects.map((subject) => ({ ...link, subject }));
  });
}

const forged = (like: AuditLink, pick: Pick): AuditLink => {
  const id = `forged-${pick(1e9)}`;
  return { ...like, id, record: canonicalize({ ...(JSON.parse(like.record) as object), id }) };
};

/** The end as it was when some head was made, in every table of the store. */
function cutTail(copy: AuditCopy, pick: Pick): void {
  const { seq } = at(copy.heads, pick(copy.heads.length - 1));
  copy.links = copy.links.filter((link) => link.seq <= seq);
  copy.heads = copy.heads.filter((head) => head.seq <= seq);
  copy.entries = copy.entries.filter((entry) => entry.seq <= seq);
  copy.end = at(copy.links, copy.links.length - 1);
}

/** A head's line by somebody else's key, which it may say or not. */
function forgeHead(line: string, saysKey: boolean, kind = 'AUDIT_HEAD'): string {
  const { signature: _, ...head } = JSON.parse(line) as Record<string, unknown>;
  const unsigned = { ...head, kind, ...(saysKey ? { keyId: attacker.keyId } : {}) };
  return canonicalize({ ...unsigned, signature: attacker.sign(canonicalize(unsigned)) });
}

const two = (length: number, pick: Pick): [number, number] => {
  const first = pick(length - 1);
  return [first, first + 1 + pick(length - 1 - first)];
};

export const TAMPERINGS: Readonly<Record<string, Tampering>> = {
  'edit: a character of a record': ({ links }, pick) =>
    change(links, pick(links.length), (link) => ({ ...link, record: changeText(link.record, pick) })),
  'edit: a byte of a hash': ({ links }, pick) =>
    change(links, pick(links.length), (link) => ({ ...link, hash: changeByte(link.hash, pick) })),
  'edit: the moment of a record': ({ links }, pick) =>
    change(links, pick(links.length), (link) => ({ ...link, at: later(link.at, 1 + pick(9_999)) })),
  'edit: the id of a record': ({ links }, pick) =>
    change(links, pick(links.length), (link) => ({ ...link, id: `${link.id}x` })),
  'edit by an insider who hashes anew': (copy, pick) => {
    change(copy.links, pick(copy.links.length), (link) => forged(link, pick));
    makeFit(copy);
  },
  'deletion: one record': ({ links }, pick) => links.splice(pick(links.length), 1),
  'deletion: one record and its entries': (copy, pick) => {
    const [gone] = copy.links.splice(pick(copy.links.length - 1), 1);
    copy.entries = copy.entries.filter(({ seq }) => seq !== gone?.seq);
  },
  'deletion by an insider who hashes anew': (copy, pick) => {
    copy.links.splice(pick(copy.links.length), 1);
    makeFit(copy);
  },
  'deletion of the beginning, under a forged closing head': (copy, pick) => {
    const { seq, head } = at(copy.heads, pick(copy.heads.length - 1));
    copy.closings.push(forgeHead(head, pick(2) === 0, 'AUDIT_CLOSING'));
    copy.links = copy.links.filter((link) => link.seq > seq);
    copy.entries = copy.entries.filter((entry) => entry.seq > seq);
    copy.heads = copy.heads.filter((one) => one.seq > seq);
  },
  'reordering: two records change their texts': ({ links }, pick) => {
    const [a, b] = two(links.length, pick);
    const [one, other] = [at(links, a), at(links, b)];
    links[a] = { ...one, id: other.id, record: other.record };
    links[b] = { ...other, id: one.id, record: one.record };
  },
  'reordering: two records change their places': ({ links }, pick) => {
    const [a, b] = two(links.length, pick);
    const [one, other] = [at(links, a), at(links, b)];
    links[a] = { ...other, seq: one.seq };
    links[b] = { ...one, seq: other.seq };
  },
  'reordering by an insider who hashes anew': (copy, pick) => {
    const [a, b] = two(copy.links.length, pick);
    const [one, other] = [at(copy.links, a), at(copy.links, b)];
    copy.links[a] = { ...other, at: one.at };
    copy.links[b] = { ...one, at: other.at };
    makeFit(copy);
  },
  'insertion: a record at a place that is taken': ({ links }, pick) => {
    const like = at(links, pick(links.length));
    links.push(forged({ ...like, at: later(like.at, 1) }, pick));
  },
  'insertion by an insider who hashes anew': (copy, pick) => {
    const place = pick(copy.links.length);
    copy.links.splice(place, 0, forged(at(copy.links, place), pick));
    makeFit(copy);
  },
  'insertion at the end, well hashed, without a head': (copy, pick) => {
    copy.links.push(forged(at(copy.links, copy.links.length - 1), pick));
    makeFit(copy);
  },
  'insertion at the end, with a head of another key': (copy, pick) => {
    copy.links.push(forged(at(copy.links, copy.links.length - 1), pick));
    makeFit(copy);
    const { seq, hash, at: moment } = copy.end;
    const like = JSON.parse(at(copy.published, 0)) as object;
    const head = { ...like, seq, hash: hash.toString('hex'), at: moment.toISOString() };
    copy.heads.push({ seq, head: forgeHead(JSON.stringify(head), pick(2) === 0) });
  },
  'tail cut: the records alone': (copy, pick) => {
    copy.links = copy.links.slice(0, pick(copy.links.length));
  },
  'tail cut by an insider, in every table of the store': cutTail,
  'index: an entry removed': ({ entries }, pick) => entries.splice(pick(entries.length), 1),
  'index: an entry added': ({ entries }, pick) => {
    const like = at(entries, pick(entries.length));
    entries.push({ ...like, subject: `O-added-${pick(1e9)}`, at: later(like.at, pick(5_000) - 2_500) });
  },
  'index: an entry given to somebody else': ({ entries }, pick) =>
    change(entries, pick(entries.length), (entry) => ({ ...entry, subject: `${entry.subject}x` })),
  'head: a character of one in the store': ({ heads }, pick) =>
    change(heads, pick(heads.length), (one) => ({ ...one, head: changeText(one.head, pick) })),
  'head: a character of one in the second sink': ({ published }, pick) =>
    change(published, pick(published.length), (line) => changeText(line, pick)),
  'head: one in the second sink signed by another key': ({ published }, pick) =>
    change(published, pick(published.length), (line) => forgeHead(line, pick(2) === 0)),
  'head: the second sink emptied': (copy) => {
    copy.published = [];
  },
  'end: the store says another': (copy, pick) => {
    copy.end = { ...copy.end, seq: copy.end.seq + 1 + pick(5) };
  },
};
