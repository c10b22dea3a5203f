/**
 * Authorization with the subject: what each representation of a fetch may disclose, before its department is asked. Those
 * that may disclose the same are fetched together, with exactly these fields.
 */
import type { GraphQLError } from 'graphql';
import type { Allowed, Denied } from '../authorization/decision.ts';
import { toDenialError } from '../authorization/denial-error.ts';
import { NO_FACTS } from '../authorization/subject-facts.ts';
import type { FetchOperation } from './fetch-operation.ts';
import type { GatewayScope } from './request-scope.ts';
import { noteDenial } from './request-scope.ts';

export type Representation = Readonly<Record<string, unknown>>;

export interface Group {
  /** Items that these entries may not disclose. */
  readonly denied: ReadonlyMap<string, Denied>;
  readonly entries: readonly DecidedEntry[];
}

export interface DecidedEntry extends Entry {
  /** What allows the items that are not denied. */
  readonly grounds: readonly Allowed[];
  readonly seesExpired: boolean;
}

export interface Entry {
  readonly representation: Representation;
  /** The same as JSON text, as it is sent. */
  readonly text: string;
  /** Its position among those of its fetch. */
  readonly at: number;
}

/** Entries that may disclose the same items are asked for together. The subject of a representation is in its key. */
export async function groupByDenied(
  scope: GatewayScope,
  operation: FetchOperation,
  entries: readonly Entry[],
): Promise<readonly Group[]> {
  const { rights, trail } = scope;
  const undecided = operation.items.flatMap((item) => {
    const decision = rights.ofItem(item);
    return decision.effect === 'ask' ? [decision] : [];
  });
  const always = operation.items.flatMap((item) => {
    const decision = rights.ofItem(item);
    return decision.effect === 'deny' ? [[item, decision] as const] : [];
  });
  const subjects = entries.map(({ representation }) => subjectOf(representation));
  const known = [...new Set(subjects.filter((subject) => subject !== null))];
  for (const subject of known) trail.subjects.add(subject);
  const factsOf = await scope.knowledge(known, new Set(undecided.flatMap(({ requires }) => requires)));
  const groups = new Map<string, { denied: Map<string, Denied>; entries: DecidedEntry[] }>();
  entries.forEach((entry, at) => {
    const facts = factsOf(subjects[at] ?? null);
    const decisions = undecided.map(({ item }) => rights.withSubject(item, facts));
    const denied = new Map<string, Denied>(always);
    for (const decision of decisions) if (decision.effect === 'deny') denied.set(decision.item, decision);
    const key = [...denied.keys()].join(' ');
    const group = groups.get(key) ?? { denied, entries: [] };
    group.entries.push({
      ...entry,
      grounds: decisions.filter((decision) => decision.effect === 'allow'),
      // Only the auditor and the subject still see what is past its publication (law.yaml, afterPublication).
      seesExpired:
        operation.holdsRecords &&
        operation.items.some((item) => rights.withSubject(item, facts, 'EXPIRED').effect === 'allow'),
    });
    groups.set(key, group);
  });
  return [...groups.values()];
}

/** Whose representation it is: its own id, or the id of the subject in its key. */
export function subjectOf(representation: Representation): string | null {
  const subject = representation['subject'];
  const nested = typeof subject === 'object' && subject !== null ? (subject as Representation)['id'] : null;
  const id = nested ?? representation['id'];
  return typeof id === 'string' ? id : null;
}

/** What an answer rests on is confirmed, and recorded, when it leaves. */
export function noteGrounds({ trail }: GatewayScope, grounds: readonly Allowed[]): void {
  for (const { item, id, reason, by } of grounds) {
    const ids = trail.decisions.get(item) ?? new Set<string>();
    trail.decisions.set(item, ids.add(id));
    if (by !== undefined) (reason === 'CONSENT' ? trail.consents : trail.releases).add(by);
  }
}

/** The decision on an item that was cut although nobody is known of whom it speaks. */
export function withNobody({ rights }: GatewayScope, item: string): Denied {
  const decision = rights.withSubject(item, NO_FACTS);
  if (decision.effect === 'allow') throw new Error(`${item} was cut although it is allowed`);
  return decision;
}

export function toDenial(
  scope: GatewayScope,
  decision: Denied,
  path: readonly (string | number)[],
): GraphQLError {
  noteDenial(scope.trail, decision, path);
  return toDenialError(decision, path);
}
