/** Where values of certain scalars can stand in an argument, and where they do: by what type it has, whatever it is called. */
import type { GraphQLInputType } from 'graphql';
import { getNamedType, getNullableType, isInputObjectType, isListType } from 'graphql';

/** Whether a value of the type can hold one of these scalars, at any depth. */
export function canHoldScalar(
  type: GraphQLInputType,
  scalars: readonly string[],
  seen = new Set<string>(),
): boolean {
  const named = getNamedType(type);
  if (scalars.includes(named.name)) return true;
  if (!isInputObjectType(named) || seen.has(named.name)) return false;
  seen.add(named.name);
  return Object.values(named.getFields()).some((field) => canHoldScalar(field.type, scalars, seen));
}

/**
 * Every value of one of these scalars in a coerced value, in its order, each time it stands there. What a scalar is coerced
 * to is the schema's affair: a value need not be a string.
 */
export function scalarsIn(
  declared: GraphQLInputType,
  value: unknown,
  scalars: readonly string[],
): readonly { readonly scalar: string; readonly value: unknown }[] {
  if (value === null || value === undefined) return [];
  const type = getNullableType(declared);
  if (isListType(type))
    return (Array.isArray(value) ? value : [value]).flatMap((entry) =>
      scalarsIn(type.ofType, entry, scalars),
    );
  if (isInputObjectType(type)) {
    const given = value as Readonly<Record<string, unknown>>;
    return Object.values(type.getFields()).flatMap((field) =>
      Object.hasOwn(given, field.name) ? scalarsIn(field.type, given[field.name], scalars) : [],
    );
  }
  return scalars.includes(type.name) ? [{ scalar: type.name, value }] : [];
}
