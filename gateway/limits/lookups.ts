/**
 * Looking persons up: which fields do it, and how often they may. A field looks a person up when an argument of it can hold
 * an ID number, whichever department offers it and whatever it is called.
 *
 * Every look-up of an operation counts, an alias as much as a request of its own: per consumer and person (guessing a name
 * to a number), per consumer (walking through numbers), per person (a crowd that asks about one). All before anybody is
 * asked, so that being refused here says nothing about who exists.
 */
import type {
  FieldNode,
  FragmentDefinitionNode,
  GraphQLField,
  GraphQLSchema,
  OperationDefinitionNode,
  SelectionSetNode,
} from 'graphql';
import { getArgumentValues, Kind } from 'graphql';
import { canHoldScalar, scalarsIn } from './argument-scalars.ts';
import type { TakeRate } from './rates.ts';

/** The scalar of ID numbers. */
const NUMBERS = ['CitizenId'];

type Field = GraphQLField<unknown, unknown>;

/** Asked of every root field of every request; a schema does not change. */
const known = new WeakMap<Field, boolean>();

/** True when an argument of the field can hold an ID number, at any depth. */
export function isLookup(field: Field): boolean {
  const answer = known.get(field) ?? field.args.some(({ type }) => canHoldScalar(type, NUMBERS));
  known.set(field, answer);
  return answer;
}

/** The ID numbers that a field is asked with, as they stand in its arguments. */
export function numbersOf(
  field: Field,
  node: FieldNode,
  variables: Readonly<Record<string, unknown>>,
): readonly string[] {
  const given = getArgumentValues(field, node, variables);
  return field.args.flatMap(({ name, type }) =>
    scalarsIn(type, given[name], NUMBERS).flatMap(({ value }) => (typeof value === 'string' ? [value] : [])),
  );
}

export interface LookedUp {
  /** How many fields look somebody up, those below a condition included. */
  readonly fields: number;
  /** The ID numbers asked with, one entry for each time. */
  readonly numbers: readonly string[];
}

/** What an operation looks up. `isCut`: fields that are denied before anybody is asked; they are nobody's look-up. */
export function findLookups(
  schema: GraphQLSchema,
  {
    operation,
    fragments,
    isCut,
  }: {
    readonly operation: OperationDefinitionNode;
    readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
    readonly isCut: (field: FieldNode) => boolean;
  },
  variables: Readonly<Record<string, unknown>>,
): LookedUp {
  const root = schema.getRootType(operation.operation)?.getFields() ?? {};
  const numbers: string[] = [];
  let fields = 0;
  collect(operation.selectionSet);
  return { fields, numbers };

  function collect(set: SelectionSetNode): void {
    for (const selection of set.selections) {
      if (selection.kind === Kind.INLINE_FRAGMENT) collect(selection.selectionSet);
      else if (selection.kind === Kind.FRAGMENT_SPREAD) {
        const fragment = fragments.get(selection.name.value);
        if (fragment) collect(fragment.selectionSet);
      } else {
        const field = root[selection.name.value];
        if (!field || !isLookup(field) || isCut(selection)) continue;
        fields += 1;
        numbers.push(...numbersOf(field, selection, variables));
      }
    }
  }
}

/** Each takes one look-up under a key, and rejects with RATE_LIMITED. */
export interface LookupLimits {
  readonly perConsumer: TakeRate;
  readonly perPerson: TakeRate;
  readonly perConsumerAndPerson: TakeRate;
}

/** Counts the look-ups of one operation. Keys hold SubjectIds, never numbers. Rejects with RATE_LIMITED. */
export type TakeLookups = (consumer: string, persons: readonly string[]) => Promise<void>;

/**
 * The consumer's own limits come first: whoever has used them up must not use up a person's as well, and by that keep others
 * from asking.
 */
export function createLookupRates(limits: LookupLimits): TakeLookups {
  return async (consumer, persons) => {
    if (persons.length === 0) return;
    const times = new Map<string, number>();
    for (const person of persons) times.set(person, (times.get(person) ?? 0) + 1);
    await limits.perConsumer(consumer, persons.length);
    for (const [person, count] of times) await limits.perConsumerAndPerson(`${consumer} ${person}`, count);
    for (const [person, count] of times) await limits.perPerson(person, count);
  };
}
