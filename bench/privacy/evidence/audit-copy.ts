/** A copy of an audit log in memory, to be tampered with, and the same as a source to verify. */
import type { AuditLink, ChainEnd } from '../../../gateway/evidence/audit-chain.ts';
import type { AuditSource, SubjectEntry } from '../../../gateway/evidence/audit-verify.ts';

export interface AuditCopy {
  links: AuditLink[];
  heads: { seq: number; head: string }[];
  entries: SubjectEntry[];
  end: ChainEnd;
  closings: string[];
  /** Lines of the second sink. */
  published: string[];
}

export async function copyAudit(source: AuditSource, published: AsyncIterable<string>): Promise<AuditCopy> {
  const all = async <T>(batches: AsyncIterable<readonly T[]>) => {
    const kept: T[] = [];
    for await (const batch of batches) kept.push(...batch);
    return kept;
  };
  const lines: string[] = [];
  for await (const line of published) lines.push(line);
  return {
    links: await all(source.links()),
    heads: await all(source.heads()),
    entries: [...(await source.entries(null, null))],
    end: await source.end(),
    closings: [...(await source.closings())],
    published: lines,
  };
}

/** Nothing in a copy is changed in place: a shallow one is enough to change it. */
export const duplicate = (copy: AuditCopy): AuditCopy => ({
  links: [...copy.links],
  heads: [...copy.heads],
  entries: [...copy.entries],
  end: copy.end,
  closings: [...copy.closings],
  published: [...copy.published],
});

export function toSource(copy: AuditCopy): AuditSource {
  const links = [...copy.links].sort((a, b) => a.seq - b.seq || a.at.getTime() - b.at.getTime());
  const bySeq = new Map(links.map((link) => [link.seq, link]));
  async function* inBatches<T>(all: readonly T[]) {
    for (let from = 0; from < all.length; from += 50) yield all.slice(from, from + 50);
  }
  return {
    async *firstForm() {},
    links: () => inBatches(links),
    heads: () => inBatches([...copy.heads].sort((a, b) => a.seq - b.seq)),
    entries: async (after, until) =>
      copy.entries.filter(({ at }) => (after === null || at > after) && (until === null || at <= until)),
    linksAt: async (seqs) => seqs.flatMap((seq) => bySeq.get(seq) ?? []),
    end: async () => copy.end,
    closings: async () => copy.closings,
  };
}
