/** What would be decided on each field of an operation, and on which ground; nobody is asked. */
import type { DocumentNode, GraphQLSchema } from 'graphql';
import { isInterfaceType, TypeInfo, visit, visitWithTypeInfo } from 'graphql';
import type { Rights } from './rights.ts';

export interface Explanation {
  /** Response names from the root, joined by dots. */
  readonly path: string;
  /** `open`: no item stands behind the field. */
  readonly effect: 'open' | 'allow' | 'mask' | 'with-consent' | 'break-glass' | 'self' | 'deny';
  readonly items: readonly string[];
  /** The kind of mask, or the reason of a denial. */
  readonly detail: string | null;
  readonly basis: readonly string[];
  /** Ids of the decisions, as errors and audit records quote them. */
  readonly decisions: readonly string[];
}

/** One row per leaf of the document, in its order; a fragment is explained where it stands. */
export function explainOperation(
  schema: GraphQLSchema,
  rights: Rights,
  document: DocumentNode,
): readonly Explanation[] {
  const rows: Explanation[] = [];
  const types = new TypeInfo(schema);
  const path: string[] = [];
  /** Items of the fields that lead here: what is below a denied field is denied with it. */
  const above: (readonly string[])[] = [];
  visit(
    document,
    visitWithTypeInfo(types, {
      FragmentDefinition: {
        enter(fragment) {
          path.push(`...${fragment.name.value}`);
        },
        leave() {
          path.pop();
        },
      },
      Field: {
        enter(field) {
          path.push(field.alias?.value ?? field.name.value);
          const parent = types.getParentType();
          // A field of an interface needs the rights of every implementation.
          const owners = isInterfaceType(parent) ? [parent, ...schema.getPossibleTypes(parent)] : [parent];
          above.push(owners.flatMap((owner) => (owner ? rights.itemsOf(owner.name, field.name.value) : [])));
          if (field.selectionSet) return;
          const items = [...new Set(above.flat())];
          rows.push({ path: path.join('.'), items, ...explainItems(rights, items) });
        },
        leave() {
          path.pop();
          above.pop();
        },
      },
    }),
  );
  return rows;
}

function explainItems(
  rights: Rights,
  items: readonly string[],
): Pick<Explanation, 'effect' | 'detail' | 'basis' | 'decisions'> {
  if (items.length === 0) return { effect: 'open', detail: null, basis: [], decisions: [] };
  const decisions = items.map((item) => rights.ofItem(item));
  const ground = {
    basis: [...new Set(decisions.flatMap(({ basis }) => basis))],
    decisions: decisions.map(({ id }) => id),
  };
  const denial = decisions.find((decision) => decision.effect === 'deny');
  if (denial?.effect === 'deny') return { effect: 'deny', detail: denial.reason, ...ground };
  const mask =
    decisions.flatMap((decision) => ('mask' in decision && decision.mask ? [decision.mask] : []))[0] ?? null;
  const requires = decisions.flatMap((decision) => (decision.effect === 'ask' ? decision.requires : []));
  if (requires.includes('CONSENT')) return { effect: 'with-consent', detail: mask, ...ground };
  if (requires.includes('BREAK_GLASS')) return { effect: 'break-glass', detail: mask, ...ground };
  if (requires.includes('SELF')) return { effect: 'self', detail: mask, ...ground };
  return { effect: mask === null ? 'allow' : 'mask', detail: mask, ...ground };
}
