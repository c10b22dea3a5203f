/** Whether a name belongs to an ID number, and what the register calls a person. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { toHalfWidth, withoutWhiteSpace } from '../../schema/identifiers/plain-text.ts';
import type { SubjectIds } from '../../schema/subject-id.ts';

/** Nobody: opened where there is nobody to open, so that an absent person costs the work of one who is there. */
const NOBODY = { name: '〇', citizenId: '0'.repeat(18) };

/** Whether one of a person's sealed identities bears this name. The same work for somebody, nobody and another name. */
export function isNameOf(name: string, identities: readonly string[], subjectIds: SubjectIds): boolean {
  const asked = toComparable(name);
  const sealed = identities.length > 0 ? identities : [subjectIds.sealIdentity(NOBODY)];
  const fits = sealed.map((identity) => {
    const opened = subjectIds.openIdentity(identity) ?? NOBODY;
    return timingSafeEqual(asked, toComparable(opened.name));
  });
  return identities.length > 0 && fits.includes(true);
}

/** The name by which the register calls a person; the first of several spellings, always the same one. */
export function nameOf(identities: readonly string[], subjectIds: SubjectIds): string | null {
  const names = identities.flatMap((identity) => subjectIds.openIdentity(identity)?.name ?? []);
  return names.sort()[0] ?? null;
}

/** Digest of a name without what clerks write in more than one way: blanks, width, and the dot of a name of other script. */
function toComparable(name: string): Buffer {
  const plain = toHalfWidth(withoutWhiteSpace(name))
    .replace(/[·•・‧∙⋅.．]/gu, '·')
    .toUpperCase();
  return createHash('sha256').update(plain).digest();
}
