/**
 * SubjectId: the opaque identifier of a credit subject inside the platform.
 *
 * An organisation's holds its code, which is public. A person's holds the citizen ID number under deterministic
 * authenticated encryption (AES-SIV, RFC 5297), so that a subgraph can open it without a hop, equal persons have equal
 * ids, and no ID number ever stands in a key, a URL, a log or a cache. The key is versioned so that it can be changed.
 */
import { aessiv } from '@noble/ciphers/aes.js';

export type SubjectKind = 'ORGANISATION' | 'SOLE_TRADER' | 'NATURAL_PERSON';

export type OpenedSubject =
  | { readonly kind: 'ORGANISATION' | 'SOLE_TRADER'; readonly id: string; readonly code: string }
  | { readonly kind: 'NATURAL_PERSON'; readonly id: string; readonly citizenId: string };

export interface SubjectIds {
  /** `code` is a checked 统一社会信用代码. */
  ofOrganisation(code: string): string;
  /** `citizenId` is a checked 18-character 公民身份号码. */
  ofPerson(citizenId: string): string;
  /** Null when the id is not one of ours, or was changed. */
  open(id: string): OpenedSubject | null;
}

const CODE = /^[0-9A-HJ-NPQRTUWXY]{18}$/;
const PERSON = /^P(\d+)-([\w-]+)$/;

/** `keys`: version → 64 bytes (AES-256-SIV); the highest version seals, all open. */
export function createSubjectIds(keys: ReadonlyMap<number, Uint8Array>): SubjectIds {
  const newest = Math.max(...keys.keys());
  const cipher = (version: number) => {
    const key = keys.get(version);
    return key ? aessiv(key, Buffer.from(`jinxin subject ${version}`)) : null;
  };
  return {
    ofOrganisation: (code) => `O-${code}`,
    ofPerson(citizenId) {
      const sealed = cipher(newest)?.encrypt(Buffer.from(citizenId, 'ascii')) ?? new Uint8Array();
      return `P${newest}-${Buffer.from(sealed).toString('base64url')}`;
    },
    open(id) {
      if (id.startsWith('O-')) {
        const code = id.slice(2);
        if (!CODE.test(code)) return null;
        return { kind: code.startsWith('92') ? 'SOLE_TRADER' : 'ORGANISATION', id, code };
      }
      const [, version, sealed] = PERSON.exec(id) ?? [];
      if (version === undefined || sealed === undefined) return null;
      try {
        const opened = cipher(Number(version))?.decrypt(Buffer.from(sealed, 'base64url'));
        return opened ? { kind: 'NATURAL_PERSON', id, citizenId: Buffer.from(opened).toString('ascii') } : null;
      } catch {
        // Changed or sealed under another key: not an id of ours, which is all that a caller may learn.
        return null;
      }
    },
  };
}
