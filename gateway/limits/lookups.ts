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
  GraphQLInputType,
  GraphQLSchema,
  OperationDefinitionNode,
  SelectionSetNode,
} from 'graphql';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { createError } from '../../schema/errors.ts';
import { getArgumentValues, getNamedType, isInputObjectType, isListType, isNonNullType, Kind } from 'graphql';

/** The scalar of ID numbers. */
const NUMBER = 'CitizenId';

type Field = GraphQLField<unknown, unknown>;

/** Asked of every root field of every request; a schema does not change. */
const known = new WeakMap<Field, boolean>();

/** True when an argument of the field can hold an ID number, at any depth. */
export function isLookup(field: Field): boolean {
  const answer = known.get(field) ?? field.args.some(({ type }) => reachesNumber(type, new Set()));
  known.set(field, answer);
  return answer;
}

function reachesNumber(type: GraphQLInputType, seen: Set<string>): boolean {
  const named = getNamedType(type);
  if (named.name === NUMBER) return true;
  if (!isInputObjectType(named) || seen.has(named.name)) return false;
  seen.add(named.name);
  return Object.values(named.getFields()).some((field) => reachesNumber(field.type, seen));
}

/** The ID numbers that a field is asked with, as they stand in its arguments. */
export function numbersOf(
  field: Field,
  node: FieldNode,
  variables: Readonly<Record<string, unknown>>,
): readonly string[] {
  const given = getArgumentValues(field, node, variables);
  return field.args.flatMap(({ name, type }) => collectNumbers(type, given[name]));
}

function collectNumbers(type: GraphQLInputType, value: unknown): readonly string[] {
  if (isNonNullType(type)) return collectNumbers(type.ofType, value);
  if (value === null || value === undefined) return [];
  if (isListType(type))
    return (Array.isArray(value) ? value : [value]).flatMap((entry) => collectNumbers(type.ofType, entry));
  if (isInputObjectType(type)) {
    const entries = value as Readonly<Record<string, unknown>>;
    return Object.values(type.getFields()).flatMap((inner) =>
      Object.hasOwn(entries, inner.name) ? collectNumbers(inner.type, entries[inner.name]) : [],
    );
  }
  return type.name === NUMBER && typeof value === 'string' ? [value] : [];
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

/** Takes `points` of what is left under a key; rejects with RATE_LIMITED when there are not so many. */
export type TakePoints = (key: string, points: number) => Promise<void>;

export interface LookupLimits {
  readonly perConsumer: TakePoints;
  readonly perPerson: TakePoints;
  readonly perConsumerAndPerson: TakePoints;
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

/** So many points in so many seconds under each key, in this process only. */
export function createMemoryPoints(points: number, seconds: number): TakePoints {
  const limiter = new RateLimiterMemory({ points, duration: seconds });
  return async (key, taken) => {
    try {
      await limiter.consume(key, taken);
    } catch (refusal) {
      if (!(refusal instanceof RateLimiterRes)) throw refusal;
      const retryAfter = Math.ceil(refusal.msBeforeNext / 1000);
      throw createError('RATE_LIMITED', { extensions: { retryAfter } });
    }
  };
}
