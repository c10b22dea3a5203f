/**
 * DataLoader over a department's source: N subjects of one request, as few legacy calls as the protocol allows, and an
 * answer for each that says how it ended. One per request; a loader never outlives the principal it was made for.
 */
import DataLoader from 'dataloader';
import type { CallContext, LegacyRow } from '../adapters/adapter.ts';
import { isLegacyError, LegacyError } from '../adapters/adapter.ts';
import { secondsLeftOfDay } from '../schema/china-time.ts';
import type { OpenedSubject, SubjectKind } from '../schema/subject-id.ts';
import type { RequestScope } from './define.ts';

export type DepartmentStatus = 'OK' | 'NONE_FOUND' | 'PENDING' | 'TIMEOUT' | 'UNAVAILABLE' | 'STALE';

/** What a source read about one subject. `found: false` is the department's own word that it has nothing. */
export interface Found<Facts> {
  readonly found: boolean;
  readonly facts: Facts;
  /** ISO 8601; null when the department does not say, which makes it STALE where the catalogue has a `staleAfter`. */
  readonly asOf: string | null;
}

/** A block of the graph: status and source always, the department's facts only when it is known to have answered. */
export type Answer<Facts> = Partial<Facts> & {
  readonly status: DepartmentStatus;
  readonly source: {
    readonly department: string;
    readonly system: string;
    readonly asOf: string | null;
    readonly fetchedAt: string;
    readonly catalogueVersion: string;
  };
  readonly elapsedMs: number;
  /** The facts again, for code that must know whether there are any; null while unknown. */
  readonly known: Facts | null;
};

/** Reads many subjects at once: one entry per subject in the same order, a fault where that subject could not be read. */
export type ReadSubjects<Facts> = (
  subjects: readonly OpenedSubject[],
  context: CallContext,
) => Promise<readonly (Found<Facts> | LegacyError | 'PENDING')[]>;

/** Of somebody of whom there was nothing there may be something soon. */
const NOTHING_SECONDS = 60;

/**
 * A loader from SubjectId to the department's answer. It resolves to null for a subject of a kind that the department
 * does not keep records on (`serves`), without asking it.
 */
export function createAnswerLoader<Facts extends object>(
  scope: RequestScope,
  options: { system: string; serves: readonly SubjectKind[]; read: ReadSubjects<Facts> },
): DataLoader<string, Answer<Facts> | null> {
  const { clock, catalogue } = scope;

  return new DataLoader(async (ids: readonly string[]) => {
    const opened = ids.map((id) => scope.subjectIds.open(id));
    const asked = opened.filter(
      (subject) => subject !== null && options.serves.includes(subject.kind),
    ) as OpenedSubject[];
    const startedAt = clock.now();
    const results = asked.length === 0 ? [] : await readOrFault(options, asked, scope.call);
    const byId = new Map(asked.map((subject, at) => [subject.id, results[at]]));
    const elapsedMs = Math.round(clock.now() - startedAt);
    return ids.map((id) => (byId.has(id) ? toAnswer(id, byId.get(id), elapsedMs) : null));
  });

  function toAnswer(
    id: string,
    result: Found<Facts> | LegacyError | 'PENDING' | undefined,
    elapsedMs: number,
  ): Answer<Facts> {
    const now = clock.now();
    const known = result === undefined || result === 'PENDING' || isLegacyError(result) ? null : result;
    const status = toStatus(result, now);
    if (known) {
      scope.noteRead(id, [known.found, known.facts]);
      // What is published is published by the day: nothing is kept beyond the end of it.
      const longest = secondsLeftOfDay(now);
      if (status === 'STALE') scope.mayCache(id, 0);
      else scope.mayCache(id, Math.min(longest, secondsToKeep(known, now)), longest);
    }
    return {
      ...(known?.facts ?? ({} as Partial<Facts>)),
      status,
      source: {
        department: catalogue.name.zh,
        system: options.system,
        asOf: known?.asOf ?? null,
        fetchedAt: new Date(now).toISOString(),
        catalogueVersion: catalogue.version,
      },
      elapsedMs,
      known: known?.facts ?? null,
    };
  }

  /** That there is nothing, for less long; and nothing for longer than until it would be called STALE. */
  function secondsToKeep({ found, asOf }: Found<Facts>, now: number): number {
    const { maxAge, maxAgeOfNothing = NOTHING_SECONDS, staleAfter } = catalogue;
    const most = found ? maxAge : Math.min(maxAge, maxAgeOfNothing);
    if (staleAfter === undefined || asOf === null) return most;
    return Math.max(0, Math.min(most, Math.floor(staleAfter - (now - Date.parse(asOf)) / 1_000)));
  }

  function toStatus(
    result: Found<Facts> | LegacyError | 'PENDING' | undefined,
    now: number,
  ): DepartmentStatus {
    if (result === 'PENDING') return 'PENDING';
    if (result === undefined) return 'UNAVAILABLE';
    if (isLegacyError(result)) return result.fault === 'timeout' ? 'TIMEOUT' : 'UNAVAILABLE';
    if (catalogue.staleAfter !== undefined && !isFresh(result.asOf, catalogue.staleAfter, now))
      return 'STALE';
    return result.found ? 'OK' : 'NONE_FOUND';
  }
}

/** Of a department that says as of when, an answer that does not say it is of any age. */
function isFresh(asOf: string | null, staleAfter: number, now: number): boolean {
  return asOf !== null && (now - Date.parse(asOf)) / 1000 <= staleAfter;
}

/** A batch that fails as a whole fails for each of its subjects; anything but a legacy fault is a defect and is thrown. */
async function readOrFault<Facts>(
  { read, system }: { read: ReadSubjects<Facts>; system: string },
  subjects: readonly OpenedSubject[],
  context: CallContext,
): Promise<readonly (Found<Facts> | LegacyError | 'PENDING')[]> {
  try {
    const results = await read(subjects, context);
    if (results.length !== subjects.length)
      throw new LegacyError('malformed', system, 'was read into another number of answers than subjects');
    return results;
  } catch (error) {
    if (!isLegacyError(error)) throw error;
    return subjects.map(() => error);
  }
}

/**
 * Rows by the key that they name, for the keys that were asked. A row of anybody else is dropped and counted: it is the
 * most dangerous fault that a legacy system has. Rows are matched by key, never by position.
 */
export function groupRows(
  rows: readonly LegacyRow[],
  keys: readonly string[],
  keyOf: (row: LegacyRow) => string | null,
  onForeign: (count: number) => void,
): ReadonlyMap<string, readonly LegacyRow[]> {
  const groups = new Map<string, LegacyRow[]>(keys.map((key) => [key, []]));
  let foreign = 0;
  for (const row of rows) {
    const key = keyOf(row);
    const group = key === null ? undefined : groups.get(key);
    if (group) group.push(row);
    else foreign += 1;
  }
  if (foreign > 0) onForeign(foreign);
  return groups;
}

/**
 * An answer from which rows were left out. That nothing is left when rows of others came instead (`own` is 0) is not the
 * department's "none"; nor is a listing that is in force and rests on no document (`undocumented`): it may not be shown
 * (天津市社会信用条例第十二条), and may not be passed over as if it were not there.
 */
export function toFoundWithout<Facts>(
  system: string,
  found: Found<Facts>,
  left: { readonly own: number; readonly foreign: number; readonly undocumented: number },
): Found<Facts> | LegacyError {
  if (left.own === 0 && left.foreign > 0)
    return new LegacyError('malformed', system, 'answered with nothing but rows of others');
  if (left.undocumented > 0)
    return new LegacyError('malformed', system, 'holds a listing in force that rests on no document');
  return found;
}

/** What finance's rules may know of a block: its status always, its facts only when there are any. */
export function toDepartmentFacts<Facts extends object>(
  department: string,
  answer: Answer<Facts>,
  summarise: (facts: Facts) => {
    findings: number;
    facts: Readonly<Record<string, string | number | boolean | null>>;
  },
) {
  const summary = answer.known === null ? null : summarise(answer.known);
  return {
    department,
    status: answer.status,
    asOf: answer.source.asOf,
    elapsedMs: answer.elapsedMs,
    findings: summary?.findings ?? null,
    facts: summary?.facts ?? null,
  };
}
