/**
 * A department keeps control of its data behind any router: before an operation runs, each field that it selects must be
 * covered by an item that the signed principal was granted, and that the department's own catalogue grants as well.
 */
import type { DocumentNode, GraphQLSchema } from 'graphql';
import { isObjectType, isInterfaceType, TypeInfo, visit, visitWithTypeInfo } from 'graphql';
import type { DepartmentCatalogue } from '../schema/catalogue.ts';
import { grantsFor } from '../schema/catalogue.ts';
import { createError } from '../schema/errors.ts';
import { policiesOf } from '../schema/policies.ts';
import type { PrincipalAssertion } from '../schema/principal.ts';

/** The catalogue items of all fields that a document selects, on whatever type it selects them. */
export function itemsOf(schema: GraphQLSchema, document: DocumentNode): readonly string[] {
  const items = new Set<string>();
  const types = new TypeInfo(schema);
  visit(
    document,
    visitWithTypeInfo(types, {
      Field() {
        const parent = types.getParentType();
        const name = types.getFieldDef()?.name;
        if (!parent || name === undefined) return;
        // A field of an interface is a field of whatever implements it.
        const owners = isInterfaceType(parent) ? [parent, ...schema.getPossibleTypes(parent)] : [parent];
        for (const owner of owners)
          if (isObjectType(owner) || isInterfaceType(owner))
            for (const item of policiesOf(owner.getFields()[name]?.astNode)) items.add(item);
      },
    }),
  );
  return [...items];
}

/** Throws FORBIDDEN for the first item that was not granted, or that the department itself does not grant. */
export function assertGranted(
  items: readonly string[],
  { principal, items: granted }: PrincipalAssertion,
  catalogue: DepartmentCatalogue,
): void {
  for (const id of items) {
    const own = catalogue.items.find((item) => item.id === id);
    // An item of another department's catalogue (finance.assessment) is that department's to judge; the signature covers it.
    const isOwnGrant = !own || grantsFor(own, principal).length > 0;
    if (!granted.includes(id) || !isOwnGrant) throw createError('FORBIDDEN', { extensions: { item: id } });
  }
}
