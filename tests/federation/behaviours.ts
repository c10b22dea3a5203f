/** How a field resolves: by the data, or by one of a few declared behaviours where it has arguments. */
import type { GraphQLOutputType } from 'graphql';
import { getNamedType, isAbstractType, isLeafType, isSpecifiedScalarType } from 'graphql';
import type { Behaviour } from './graph-file.ts';
import type { Thing, World } from './world.ts';
import { toResolved } from './world.ts';

type Values = Readonly<Record<string, unknown>>;

export interface FieldCall {
  readonly thing: Thing;
  readonly field: string;
  readonly type: GraphQLOutputType;
  readonly args: Values;
  readonly behaviour: Behaviour | undefined;
}

/**
 * - `find`: the thing of the field's type that agrees with the arguments; `where`: those of the data that do
 * - `echo`: the arguments as they came, as JSON
 * - `times`: the number of the data, times what an argument's value stands for
 * - `first`: as many of the list as the argument says
 * - `set`: the thing with this `id` takes the other arguments; `add`: the data's number grows by the argument `by`
 */
export function resolveByData(world: World, { thing, field, type, args, behaviour }: FieldCall): unknown {
  const raw = Object.hasOwn(thing.values, field) ? thing.values[field] : null;
  const ofData = () => toResolved(world, raw, type);
  if (behaviour === undefined) {
    if (Object.keys(args).length > 0)
      throw new Error(`what ${thing.type}.${field} does with arguments is not said`);
    return ofData();
  }
  switch (behaviour) {
    case 'find':
      return toSeen(world.all().find((one) => isOfType(one) && agrees(one, args)));
    case 'where':
      return (ofData() as readonly { thing: Thing }[]).filter((seen) => agrees(seen.thing, args));
    case 'echo':
      return JSON.stringify(args);
    case 'set': {
      const { id, ...values } = args;
      const found = world.all().find((one) => isOfType(one) && one.values['id'] === id);
      if (found) Object.assign(found.values, values);
      return toSeen(found);
    }
    case 'add':
      thing.values[field] = Number(raw) + Number(args['by']);
      return thing.values[field];
  }
  if (typeof raw !== 'number' && !('first' in behaviour)) return ofData();
  if ('times' in behaviour)
    return Object.entries(behaviour.times).reduce(
      (product, [argument, factors]) => product * (factors[String(args[argument])] ?? Number.NaN),
      Number(raw),
    );
  const list = ofData();
  const most = args[behaviour.first];
  return Array.isArray(list) && typeof most === 'number' ? (list.slice(0, most) as unknown) : list;

  function isOfType(one: Thing): boolean {
    const named = getNamedType(type);
    return isAbstractType(named) || one.type === named.name;
  }
}

/** A field that @requires others tells what it was given: text as JSON, a number as the sum of all numbers in it. */
export function resolveByRequirement(required: Values, args: Values, type: GraphQLOutputType): unknown {
  const named = getNamedType(type);
  if (!isLeafType(named) || !isSpecifiedScalarType(named)) return undefined;
  if (named.name === 'String')
    return JSON.stringify(Object.keys(args).length > 0 ? { ...required, arguments: args } : required);
  return sumOf(required);
}

function sumOf(value: unknown): number {
  if (typeof value === 'number') return value;
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce((sum: number, inner) => sum + sumOf(inner), 0);
}

function agrees({ values }: Thing, args: Values): boolean {
  return Object.entries(args).every(([name, value]) => values[name] === value);
}

function toSeen(thing: Thing | undefined): unknown {
  return thing ? { thing, given: null } : null;
}
