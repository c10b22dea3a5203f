/** Type conditions over the supergraph's schema, inaccessible types included: subgraphs speak of those, too. */
import type { GraphQLSchema } from 'graphql';
import { isAbstractType, isInterfaceType, isObjectType } from 'graphql';

/** Whether an object of the type `name`, which a subgraph gave it, is one of `condition`. */
export function isOfType(schema: GraphQLSchema, name: string, condition: string): boolean {
  if (name === condition) return true;
  const [type, wider] = [schema.getType(name), schema.getType(condition)];
  if (!isAbstractType(wider)) return false;
  return (isObjectType(type) || isInterfaceType(type)) && schema.isSubType(wider, type);
}

/** The type behind an element of a rewrite's path such as `... on Book`; null for a field. */
export function conditionOf(element: string): string | null {
  return element.startsWith('... on ') ? element.slice('... on '.length) : null;
}
