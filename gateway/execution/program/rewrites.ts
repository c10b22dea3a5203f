/** Output rewrites of a plan: keys that a fetch had to give another name get their own back. */
import type { FetchDataRewrite } from '@apollo/query-planner';
import type { GraphQLSchema } from 'graphql';
import { isData } from './own.ts';
import { conditionOf, isOfType } from './type-conditions.ts';

/** Changes what was fetched, in place. `typename` is the type of an object that does not tell its own. */
export type RewriteOutput = (value: unknown, typename: unknown) => void;

/** Null when there is nothing to rewrite. */
export function createOutputRewrite(
  rewrites: readonly FetchDataRewrite[],
  schema: GraphQLSchema,
): RewriteOutput | null {
  const renames = rewrites.flatMap((rewrite) =>
    rewrite.kind === 'KeyRenamer' ? [{ path: rewrite.path, to: rewrite.renameKeyTo }] : [],
  );
  if (renames.length === 0) return null;
  return (value, typename) => {
    for (const { path, to } of renames) rename(value, path, to, typename);
  };

  function rename(value: unknown, path: readonly string[], to: string, typename: unknown): void {
    if (Array.isArray(value)) for (const entry of value) rename(entry, path, to, undefined);
    if (!isData(value)) return;
    const [first = '', ...rest] = path;
    const condition = conditionOf(first);
    const object = value as Record<string, unknown>;
    if (condition !== null) {
      const own = object['__typename'] ?? typename;
      // As the planner has it: an object whose type is not known is taken to fit.
      if (typeof own !== 'string' || isOfType(schema, own, condition)) rename(object, rest, to, own);
    } else if (!Object.hasOwn(object, first)) {
      return;
    } else if (rest.length > 0) {
      rename(object[first], rest, to, undefined);
    } else {
      object[to] = object[first];
      delete object[first];
    }
  }
}
