/** Nulls and failures at any place of a graph's data where they do not change who is who. */
import fc from 'fast-check';
import type { SelectionSetNode } from 'graphql';
import { Kind, parse, visit } from 'graphql';
import { readFieldSets } from './field-sets.ts';
import type { Graph } from './graph-file.ts';
import { Failure } from './graph-file.ts';

export interface Hole {
  readonly type: string;
  readonly thing: string;
  readonly field: string;
  readonly isFailure: boolean;
}

/**
 * Not in keys, and no failure in what others require: the gateway tells of that, and the oracle does not know that anybody was
 * asked for it.
 */
export function anyHoles(graph: Graph): fc.Arbitrary<readonly Hole[]> {
  const sets = Object.values(graph.subgraphs).map((sdl) => readFieldSets(parse(sdl)));
  const ofKeys = namesIn(sets.flatMap(({ keys }) => [...keys.values()].flat()));
  const required = namesIn(sets.flatMap(({ requires }) => [...requires.values()]));
  const places = Object.entries(graph.data)
    .filter(([type]) => type !== 'Query' && type !== 'Mutation')
    .flatMap(([type, things]) =>
      Object.entries(things).flatMap(([thing, values]) =>
        Object.keys(values as object)
          .filter((field) => !ofKeys.has(field))
          .map((field) => ({ type, thing, field })),
      ),
    );
  const mustBe = mandatoryFields(graph);
  const hole = fc
    .record({ place: fc.constantFrom(...places), isFailure: fc.boolean() })
    .map(({ place, isFailure }): Hole => ({ ...place, isFailure: isFailure && !required.has(place.field) }))
    .filter(({ field }) => !(required.has(field) && mustBe.has(field)));
  return fc.array(hole, { maxLength: 6 });
}

export function withHoles({ data }: Graph, holes: readonly Hole[]): Graph['data'] {
  const changed = Object.fromEntries(Object.entries(data).map(([type, things]) => [type, { ...things }]));
  for (const { type, thing, field, isFailure } of holes) {
    const things = changed[type];
    if (things)
      things[thing] = { ...(things[thing] as object), [field]: isFailure ? new Failure('failed') : null };
  }
  return changed;
}

function namesIn(sets: readonly SelectionSetNode[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (const set of sets) visit(set, { Field: ({ name }) => void names.add(name.value) });
  return names;
}

/** Names of fields that are not nullable anywhere. */
function mandatoryFields(graph: Graph): ReadonlySet<string> {
  const names = new Set<string>();
  for (const sdl of Object.values(graph.subgraphs))
    visit(parse(sdl), {
      FieldDefinition: ({ name, type }) => void (type.kind === Kind.NON_NULL_TYPE && names.add(name.value)),
    });
  return names;
}
