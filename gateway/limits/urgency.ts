/**
 * How urgent a request is, told before anything is spent on it: by what was found out when the same came before. It
 * decides about nothing but the order in an overload. Somebody who never came, or whose credentials are new, is taken for the public
 * until he was identified once; an operation that never came is not taken for a large one.
 */
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Urgency } from './admission.ts';

export interface Caller {
  readonly authorization: string | undefined;
  /** A certificate was verified in the handshake. */
  readonly isCertified: boolean;
}

export interface AskedAgain {
  readonly query: string;
  readonly documentId: string | null;
  /** Length of its body as it was sent; 0 where it was not told. */
  readonly bytes: number;
}

export interface Urgencies {
  /** Of whatever this caller may ask: nothing of it is more urgent. */
  ofCaller(caller: Caller): Urgency;
  of(caller: Caller, asked: AskedAgain): { readonly urgency: Urgency; readonly work: number };
  /** The caller is somebody, not the public. */
  noteIdentified(caller: Caller): void;
  noteCost(asked: AskedAgain, cost: number): void;
}

/** A subject with all its departments is 120: a check is below, a list of subjects above. */
const BULK_COST = 1_000;
const USUAL_COST = 100;

export function createUrgencies(): Urgencies {
  const callers = new LRUCache<string, true>({ max: 10_000 });
  const costs = new LRUCache<string, number>({ max: 10_000 });

  function isKnown({ authorization, isCertified }: Caller): boolean {
    return isCertified || (authorization !== undefined && callers.get(digest(authorization)) === true);
  }
  const ofCaller = (caller: Caller) => (isKnown(caller) ? 'check' : 'public');

  return {
    ofCaller,
    of(caller, asked) {
      const urgency = ofCaller(caller);
      const work = costs.get(keyOf(asked)) ?? USUAL_COST;
      return { urgency: urgency === 'check' && work >= BULK_COST ? 'bulk' : urgency, work };
    },
    noteIdentified({ authorization }) {
      if (authorization !== undefined) callers.set(digest(authorization), true);
    },
    noteCost: (asked, cost) => void costs.set(keyOf(asked), Math.max(1, cost)),
  };
}

/** One text may be asked for one subject and for a hundred: told apart by how long what is sent with it is, roughly. */
function keyOf({ query, documentId, bytes }: AskedAgain): string {
  const size = Math.ceil(Math.log2(Math.max(1, bytes - query.length)));
  return `${size} ${documentId === null ? digest(query) : `id ${documentId.slice(0, 128)}`}`;
}

/** No token is kept in memory. */
function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
