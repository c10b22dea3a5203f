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
  /** Name and ID number of a person as one opaque text that only the platform's own subgraphs can open. */
  sealIdentity(identity: PersonIdentity): string;
  openIdentity(sealed: string): PersonIdentity | null;
}

/** What the real-name check needs; it travels between subgraphs sealed, and nowhere else. */
export interface PersonIdentity {
  readonly name: string;
  readonly citizenId: string;
}

const CODE = /^[0-9A-HJ-NPQRTUWXY]{18}$/;
const PERSON = /^P(\d+)-([\w-]+)$/;

/** A company's id needs no key: its code is public. `code` is checked. */
export function toOrganisationId(code: string): string {
  return `O-${code}`;
}

/** `keys`: version → 64 bytes (AES-256-SIV); the highest version seals, all open. */
export function createSubjectIds(keys: ReadonlyMap<number, Uint8Array>): SubjectIds {
  const newest = Math.max(...keys.keys());
  // The use is bound into the seal, so that an id can never be passed off as an identity or the reverse.
  const cipher = (use: 'subject' | 'identity', version: number) => {
    const key = keys.get(version);
    return key ? aessiv(key, Buffer.from(`jinxin ${use} ${version}`)) : null;
  };
  function seal(use: 'subject' | 'identity', text: string): string {
    const sealed = cipher(use, newest)?.encrypt(Buffer.from(text, 'utf8')) ?? new Uint8Array();
    return `P${newest}-${Buffer.from(sealed).toString('base64url')}`;
  }
  function unseal(use: 'subject' | 'identity', text: string): string | null {
    const [, version, sealed] = PERSON.exec(text) ?? [];
    if (version === undefined || sealed === undefined) return null;
    try {
      const opened = cipher(use, Number(version))?.decrypt(Buffer.from(sealed, 'base64url'));
      return opened ? Buffer.from(opened).toString('utf8') : null;
    } catch {
      // Changed, or sealed under another key: not one of ours, which is all that a caller may learn.
      return null;
    }
  }
  return {
    ofOrganisation: toOrganisationId,
    ofPerson: (citizenId) => seal('subject', citizenId),
    open(id) {
      if (id.startsWith('O-')) {
        const code = id.slice(2);
        if (!CODE.test(code)) return null;
        return { kind: code.startsWith('92') ? 'SOLE_TRADER' : 'ORGANISATION', id, code };
      }
      const citizenId = unseal('subject', id);
      return citizenId === null ? null : { kind: 'NATURAL_PERSON', id, citizenId };
    },
    sealIdentity: ({ name, citizenId }) => seal('identity', `${citizenId}${name}`),
    openIdentity(sealed) {
      const text = unseal('identity', sealed);
      return text === null ? null : { citizenId: text.slice(0, 18), name: text.slice(18) };
    },
  };
}
