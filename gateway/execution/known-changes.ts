/**
 * Which changes were announced, as this process knows it. Positions only grow and a change that is known stays known for
 * longer than anything is kept: no replay, no old copy of a store and no grace can bring back what was announced as changed.
 *
 * Whatever is loaded is stamped with the position that had been reached before it was asked for: what was read while a
 * change was on its way is older than the change, as it may be.
 */
import { changesAbout } from '../../schema/changes.ts';

export interface KnownChanges {
  /** Every change up to here is known. */
  position(): number;
  /** Grows with every change that is heard of: what was found current at this count still is. */
  count(): number;
  /** Whether what `department` said of `subject`, loaded at position `stamp`, was announced as changed by nobody since. */
  isCurrent(department: string, subject: string | null, stamp: number): boolean;
  /** False while changes may have been announced more than a second ago of which this process has not heard. */
  isVerified(): boolean;
}

export interface ChangeFollower extends KnownChanges {
  /** Takes what was read of the journal; `readAt`: when the reading began, on the clock of `elapsed`. */
  take(read: JournalRead, readAt: number): void;
}

/** What a reading of the journal brought, see adapters/postgres/change-journal.ts. */
export interface JournalRead {
  readonly changes: readonly { readonly position: number; readonly names: readonly string[] }[];
  readonly position: number;
}

/** Nobody announces anything: what is kept is kept for its time. */
export const NO_CHANGES: KnownChanges = {
  position: () => 0,
  count: () => 0,
  isCurrent: () => true,
  isVerified: () => true,
};

/** An announcement holds everywhere within this time, or what is kept is not used. */
const VERIFIED_MS = 1_000;
/** Some 40 MB; whoever has more changes than this in two days has the older ones taken for changes of everything. */
const MOST_NAMES = 200_000;

/** `elapsed`: milliseconds of a clock that never goes back. */
export function createKnownChanges(elapsed: () => number, mostNames = MOST_NAMES): ChangeFollower {
  const known = new Map<string, number>();
  let position = 0;
  let count = 0;
  let floor = 0;
  let verifiedAt = -Infinity;

  function learn(name: string, at: number): void {
    const before = known.get(name) ?? 0;
    if (at <= before) return;
    // Set anew, so that the map's order is the order of the changes.
    known.delete(name);
    known.set(name, at);
    count += 1;
    if (known.size > mostNames) forgetOldest();
  }

  function forgetOldest(): void {
    for (const [name, at] of known) {
      if (known.size <= mostNames / 2) return;
      known.delete(name);
      floor = Math.max(floor, at);
    }
  }

  return {
    position: () => position,
    count: () => count,
    isCurrent: (department, subject, stamp) =>
      stamp >= floor && changesAbout(department, subject).every((name) => (known.get(name) ?? 0) <= stamp),
    isVerified: () => elapsed() - verifiedAt <= VERIFIED_MS,
    take(read, readAt) {
      for (const { names, position: at } of read.changes) for (const name of names) learn(name, at);
      position = Math.max(position, read.position);
      verifiedAt = Math.max(verifiedAt, readAt);
    },
  };
}
