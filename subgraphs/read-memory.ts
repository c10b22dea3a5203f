/**
 * Departments that are asked when somebody wants to know, by SQL or over HTTP, tell nobody that something has changed. What was
 * read of a subject tells it: facts other than those that were read before are a change, and other answers about the same
 * subject that a gateway keeps rest on the old ones.
 */
import { LRUCache } from 'lru-cache';
import { createHash } from 'node:crypto';

export interface ReadMemory {
  /** Notes what was read of a subject: `read` is data that can be written as JSON. True when it is other than what was read before. */
  isOther(subject: string, read: unknown): boolean;
}

const MOST_SUBJECTS = 50_000;

export function createReadMemory(): ReadMemory {
  const digests = new LRUCache<string, string>({ max: MOST_SUBJECTS });
  return {
    isOther(subject, read) {
      const digest = createHash('sha256').update(JSON.stringify(read)).digest('base64url');
      const before = digests.get(subject);
      digests.set(subject, digest);
      return before !== undefined && before !== digest;
    },
  };
}
