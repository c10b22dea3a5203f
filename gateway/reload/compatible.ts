/** What a graph that works by itself must not do to those who are served by the one before it. */
import type { Rules } from '../../schema/catalogue.ts';
import { isInterfaceType, isObjectType } from 'graphql';
import type { Supergraph } from '../supergraph/load.ts';
import { RefusedGraphError } from './refusals.ts';

export interface GuardedGraph {
  readonly supergraph: Pick<Supergraph, 'fullSchema' | 'requirements' | 'planner'>;
  readonly rules: Rules;
}

const MOST_NAMED = 5;

/** `registered`: texts of all registered operations; null when they cannot be known now. Rejects with RefusedGraphError. */
export async function assertCompatible(
  old: GuardedGraph,
  next: GuardedGraph,
  registered: readonly string[] | null,
): Promise<void> {
  const unknown = [...unknownItems(next)].filter((item) => !unknownItems(old).has(item));
  // Denied to everybody, it would be a hole in answers that nobody meant.
  if (unknown.length > 0)
    throw new RefusedGraphError('CATALOGUE', `the catalogue lacks ${list(unknown)}, which the graph names`);
  const unguarded = [...old.supergraph.requirements.keys()].filter(
    (field) => hasField(next, field) && !next.supergraph.requirements.has(field),
  );
  // A @policy that a composition lost would open what it guarded, to everybody and at once.
  if (unguarded.length > 0)
    throw new RefusedGraphError('UNGUARDED', `${list(unguarded)} would be shown without a policy`);
  if (registered === null)
    throw new RefusedGraphError('UNPREPARED', 'the registered operations cannot be read at present');
  const broken: string[] = [];
  for (const text of registered) if (await breaks(text, old, next)) broken.push(nameOf(text));
  if (broken.length > 0)
    throw new RefusedGraphError(
      'BROKEN_OPERATIONS',
      `${list(broken)} would no longer be valid; withdraw first`,
    );
}

function unknownItems({ supergraph, rules }: GuardedGraph): ReadonlySet<string> {
  // Without any catalogue everything behind a policy is denied, and somebody chose that.
  if (rules.catalogue.size === 0) return new Set();
  return new Set([...supergraph.requirements.values()].flat().filter((item) => !rules.catalogue.has(item)));
}

function hasField({ supergraph }: GuardedGraph, coordinate: string): boolean {
  const [type = '', field = ''] = coordinate.split('.');
  const found = supergraph.fullSchema.getType(type);
  return (isObjectType(found) || isInterfaceType(found)) && field in found.getFields();
}

/** An operation that was not valid before is not broken now. */
async function breaks(text: string, old: GuardedGraph, next: GuardedGraph): Promise<boolean> {
  const isInvalid = async ({ supergraph }: GuardedGraph) =>
    (await supergraph.planner.validate(text, true, 'registered operations')).length > 0;
  return (await isInvalid(next)) && !(await isInvalid(old));
}

function nameOf(text: string): string {
  return /\b(?:query|mutation)\s+([_A-Za-z]\w*)/.exec(text)?.[1] ?? 'an operation without a name';
}

function list(names: readonly string[]): string {
  const more = names.length - MOST_NAMED;
  return names.slice(0, MOST_NAMED).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
