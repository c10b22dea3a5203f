/** What a department may answer where a leaf is: result coercion of the GraphQL specification (3.5), and nothing laxer. */
import type { GraphQLLeafType } from 'graphql';
import { GRAPHQL_MAX_INT, GRAPHQL_MIN_INT, isEnumType } from 'graphql';

/** The value as it is told; undefined where the type does not allow it. Values of scalars of our own are told as they came. */
export type CoerceLeaf = (value: unknown) => unknown;

export function createLeaf(type: GraphQLLeafType): CoerceLeaf {
  if (isEnumType(type)) {
    const names = new Set<unknown>(type.getValues().map(({ name }) => name));
    return (value) => (names.has(value) ? value : undefined);
  }
  return SPECIFIED[type.name] ?? asItIs;
}

const asItIs: CoerceLeaf = (value) => value;

const SPECIFIED: Readonly<Record<string, CoerceLeaf>> = {
  String: (value) => (typeof value === 'string' ? value : undefined),
  Boolean: (value) => (typeof value === 'boolean' ? value : undefined),
  Int: (value) =>
    Number.isInteger(value) && (value as number) <= GRAPHQL_MAX_INT && (value as number) >= GRAPHQL_MIN_INT
      ? value
      : undefined,
  Float: (value) => (Number.isFinite(value) ? value : undefined),
  ID: (value) =>
    typeof value === 'string' ? value : Number.isSafeInteger(value) ? String(value) : undefined,
};
