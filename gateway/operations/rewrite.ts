/**
 * The client's operation → the operation that is planned.
 *
 * 0. What `@skip` and `@include` leave out is left out, and the directives with it (conditions.ts).
 * 1. Fields that this principal may not see are cut out, with whatever becomes empty by it: no department is asked.
 * 2. Every aliased field and every field with arguments is given a private response key. A client's alias is never an
 *    internal key: the stock gateway answers wrong data where an alias meets a key or a required field, and masking by
 *    field could be fooled.
 * 3. A variable that bears the name of an internal one is given a private name.
 * 4. What tells the state of an adverse record is asked for wherever one is (execution/adverse-records.ts).
 * 5. `__typename` is asked for plainly, once, and for every abstract type, so that the shaper knows what it shapes.
 */
import type {
  DocumentNode,
  FieldNode,
  FragmentDefinitionNode,
  GraphQLNamedType,
  GraphQLSchema,
  OperationDefinitionNode,
  SelectionNode,
  SelectionSetNode,
} from 'graphql';
import { getNamedType, isAbstractType, isInterfaceType, isObjectType, Kind, visit } from 'graphql';
import type { Requirement } from '../authorization/decision.ts';
import type { Rights } from '../authorization/rights.ts';
import { isSelected, stateFieldsOf } from '../execution/adverse-records.ts';
import { fieldType, keyOf, variableKeyOf } from '../execution/keys.ts';
import { isIncluded } from '../execution/shape/collect-fields.ts';
import type { Conditions } from './conditions.ts';

export interface Rewritten {
  /** Null when nothing that may be seen is left to fetch. */
  readonly document: DocumentNode | null;
  /** Fields of the client's operation (by node) that were cut: with the item that denies them, or null when such a cut emptied them. */
  readonly cut: ReadonlyMap<FieldNode, string | null>;
  /** What decisions on its fields will have to know of their subjects. */
  readonly needs: ReadonlySet<Requirement>;
}

export interface Rewriting {
  readonly operation: OperationDefinitionNode;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly conditions: Conditions;
}

export function rewriteOperation(
  schema: GraphQLSchema,
  { operation, fragments, conditions }: Rewriting,
  rights: Rights,
): Rewritten {
  const cut = new Map<FieldNode, string | null>();
  const needs = new Set<Requirement>();
  const rewrittenFragments = new Map<string, FragmentDefinitionNode | 'skipped' | null>();

  /** Null when all of it was cut; 'skipped' when conditions alone have left nothing of it. */
  function rewriteSelections(
    set: SelectionSetNode,
    parent: GraphQLNamedType,
  ): SelectionSetNode | 'skipped' | null {
    const included = set.selections.filter((selection) => isIncluded(selection, conditions));
    const parts = included.map((selection) => rewriteSelection(selection, parent));
    const selections = parts.flatMap((part) => (part === 'skipped' ? [] : part));
    if (selections.length === 0) return parts.every((part) => part === 'skipped') ? 'skipped' : null;
    for (const field of stateFieldsOf(parent))
      if (!isSelected(selections, field) && findDenying(parent, field.name.value) === null)
        selections.push(field);
    if (isAbstractType(parent) && !selections.includes(TYPENAME)) selections.push(TYPENAME);
    return { kind: Kind.SELECTION_SET, selections };
  }

  function rewriteSelection(selection: SelectionNode, parent: GraphQLNamedType): SelectionNode[] | 'skipped' {
    if (selection.kind === Kind.INLINE_FRAGMENT) {
      const type = narrowed(selection.typeCondition?.name.value, parent);
      const inner = type ? rewriteSelections(selection.selectionSet, type) : null;
      if (inner === 'skipped') return inner;
      return inner ? [{ ...withoutConditions(selection), selectionSet: inner }] : [];
    }
    if (selection.kind === Kind.FRAGMENT_SPREAD) {
      const fragment = rewriteFragment(selection.name.value);
      if (fragment === 'skipped') return fragment;
      return fragment ? [withoutConditions(selection)] : [];
    }
    return rewriteField(selection, parent);
  }

  /** What stands under a condition on an interface within an object is that object's: its rules hold, not all others'. */
  function narrowed(condition: string | undefined, parent: GraphQLNamedType): GraphQLNamedType | undefined {
    const type = condition === undefined ? parent : schema.getType(condition);
    const isWider = isAbstractType(type) && isObjectType(parent) && schema.isSubType(type, parent);
    return isWider ? parent : type;
  }

  function rewriteFragment(name: string): FragmentDefinitionNode | 'skipped' | null {
    const known = rewrittenFragments.get(name);
    if (known !== undefined) return known;
    const fragment = fragments.get(name);
    const type = fragment && schema.getType(fragment.typeCondition.name.value);
    const inner = fragment && type ? rewriteSelections(fragment.selectionSet, type) : null;
    const rewritten =
      inner === 'skipped' ? inner : fragment && inner ? { ...fragment, selectionSet: inner } : null;
    rewrittenFragments.set(name, rewritten);
    return rewritten;
  }

  function rewriteField(field: FieldNode, parent: GraphQLNamedType): FieldNode[] {
    const name = field.name.value;
    const keyed = withKey(withoutConditions(field));
    if (name === '__typename') return [TYPENAME];
    const denying = findDenying(parent, name);
    if (denying !== null) {
      cut.set(field, denying);
      return [];
    }
    if (!field.selectionSet) return [keyed];
    const type = fieldType(schema, parent, name);
    const inner = type ? rewriteSelections(field.selectionSet, getNamedType(type)) : null;
    if (!inner) {
      cut.set(field, null);
      return [];
    }
    // Of an object of which nothing is selected it is still told whether there is one.
    return [{ ...keyed, selectionSet: inner === 'skipped' ? NOTHING_SELECTED : inner }];
  }

  /** A field of an interface needs the rights of every implementation: whichever it is, nothing may leak. */
  function findDenying(parent: GraphQLNamedType, field: string): string | null {
    const owners = isInterfaceType(parent) ? [parent, ...schema.getPossibleTypes(parent)] : [parent];
    const items = owners.flatMap((owner) => rights.itemsOf(owner.name, field));
    const decisions = items.map((item) => rights.ofItem(item));
    for (const decision of decisions)
      if (decision.effect === 'ask') for (const requirement of decision.requires) needs.add(requirement);
    return decisions.find(({ effect }) => effect === 'deny')?.item ?? null;
  }

  const root = schema.getRootType(operation.operation);
  const inner = root ? rewriteSelections(operation.selectionSet, root) : null;
  if (!inner || inner === 'skipped') return { document: null, cut, needs };
  const used = [...rewrittenFragments.values()].filter(
    (fragment) => fragment !== null && fragment !== 'skipped',
  );
  const document: DocumentNode = {
    kind: Kind.DOCUMENT,
    definitions: [{ ...operation, selectionSet: inner }, ...used],
  };
  return { document: withVariableKeys(document), cut, needs };
}

const TYPENAME: FieldNode = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } };
const NOTHING_SELECTED: SelectionSetNode = { kind: Kind.SELECTION_SET, selections: [TYPENAME] };

/** `@skip` and `@include` alone can stand on a selection: they have been applied. */
function withoutConditions<Node extends SelectionNode>(node: Node): Node {
  const { directives, ...bare } = node;
  return directives?.length ? (bare as Node) : node;
}

function withVariableKeys(document: DocumentNode): DocumentNode {
  return visit(document, {
    Variable(variable) {
      const key = variableKeyOf(variable.name.value);
      if (key === variable.name.value) return undefined;
      return { ...variable, name: { kind: Kind.NAME, value: key } };
    },
  });
}

/** The field under the key that it is fetched by. */
function withKey(field: FieldNode): FieldNode {
  const { alias: _, ...bare } = field;
  const key = keyOf(field);
  return key === field.name.value ? bare : { ...bare, alias: { kind: Kind.NAME, value: key } };
}
