/**
 * SubjectId: the opaque identifier of a credit subject inside the platform.
 *
 * An organisation's holds its code, which is public. A person's holds the citizen ID number under deterministic
 * authenticated encryption (AES-SIV, RFC 5297), so that a subgraph can open it without a hop, equal persons have equal
 * ids, and no ID number ever stands in a key, a URL, a log or a cache. The key is versioned so that it can be changed.
 *
 * At the edge each consumer knows a person under an id of its own (a pairwise pseudonym): the platform's id sealed once more,
 * under a key derived for that consumer (HKDF, RFC 5869). Two consumers have nothing by which to join what they hold, and
 * what one was given is nobody's id at another's.
 */
import { aessiv } from '@noble/ciphers/aes.js';
import { hkdfSync } from 'node:crypto';

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
  /** The ids under which one consumer knows persons; `consumer` names it among consumers of every kind. */
  forConsumer(consumer: string): PairwiseIds;
}

/** Between the platform's ids and those of one consumer. Organisations' are public and the same for all. */
export interface PairwiseIds {
  /** The consumer's id for a subject of the platform; null for what is no id of the platform. */
  toEdge(id: string): string | null;
  /** The platform's id behind one that this consumer was given; null for any other text, the platform's own ids included. */
  toPlatform(id: string): string | null;
}

/** What the real-name check needs; it travels between subgraphs sealed, and nowhere else. */
export interface PersonIdentity {
  readonly name: string;
  readonly citizenId: string;
}

const CODE = /^[0-9A-HJ-NPQRTUWXY]{18}$/;
const PERSON = /^P(\d+)-([\w-]+)$/;
const EDGE = /^C(\d+)-([\w-]+)$/;
/** Bytes of an AES-256-SIV key. */
const SIV_KEY = 64;

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
    return decrypt(cipher(use, Number(version)), sealed);
  }
  function open(id: string): OpenedSubject | null {
    if (id.startsWith('O-')) {
      const code = id.slice(2);
      if (!CODE.test(code)) return null;
      return { kind: code.startsWith('92') ? 'SOLE_TRADER' : 'ORGANISATION', id, code };
    }
    const citizenId = unseal('subject', id);
    return citizenId === null ? null : { kind: 'NATURAL_PERSON', id, citizenId };
  }
  /** A consumer's own cipher: neither the platform's key nor another consumer's can be found from what it seals. */
  function edgeCipher(consumer: string, version: number) {
    const key = keys.get(version);
    if (!key) return null;
    const info = `jinxin pairwise ${version} ${consumer}`;
    return aessiv(new Uint8Array(hkdfSync('sha512', key, '', info, SIV_KEY)), Buffer.from(info));
  }
  return {
    ofOrganisation: (code) => `O-${code}`,
    ofPerson: (citizenId) => seal('subject', citizenId),
    open,
    sealIdentity: ({ name, citizenId }) => seal('identity', `${citizenId}${name}`),
    openIdentity(sealed) {
      const text = unseal('identity', sealed);
      return text === null ? null : { citizenId: text.slice(0, 18), name: text.slice(18) };
    },
    forConsumer(consumer) {
      const ciphers = new Map<number, ReturnType<typeof edgeCipher>>();
      const cipherOf = (version: number) => {
        const made = ciphers.get(version) ?? edgeCipher(consumer, version);
        if (made) ciphers.set(version, made);
        return made;
      };
      return {
        toEdge(id) {
          const subject = open(id);
          if (subject?.kind !== 'NATURAL_PERSON') return subject?.id ?? null;
          // The platform's id as it is, and not the number in it: what comes back must be the very id that records hold.
          const sealed = cipherOf(newest)?.encrypt(Buffer.from(id, 'utf8')) ?? new Uint8Array();
          return `C${newest}-${Buffer.from(sealed).toString('base64url')}`;
        },
        toPlatform(id) {
          if (id.startsWith('O-')) return open(id)?.id ?? null;
          const [, version, sealed] = EDGE.exec(id) ?? [];
          if (version === undefined || sealed === undefined) return null;
          return decrypt(cipherOf(Number(version)), sealed);
        },
      };
    },
  };
}

/** Null for what was changed, or sealed under another key: not one of ours, which is all that a caller may learn. */
function decrypt(cipher: { decrypt(sealed: Uint8Array): Uint8Array } | null, sealed: string): string | null {
  const bytes = Buffer.from(sealed, 'base64url');
  // The decoder reads past what is no base64url, and past spare bits: one id must not have several spellings.
  if (bytes.toString('base64url') !== sealed) return null;
  try {
    return cipher ? Buffer.from(cipher.decrypt(bytes)).toString('utf8') : null;
  } catch {
    return null;
  }
}
