/** CollectFields of the GraphQL specification (6.3.2), for one concrete type and known conditions. */
import type {
  FieldNode,
  FragmentDefinitionNode,
  GraphQLNamedType,
  GraphQLSchema,
  SelectionNode,
  SelectionSetNode,
} from 'graphql';
import {
  getDirectiveValues,
  GraphQLIncludeDirective,
  GraphQLSkipDirective,
  isAbstractType,
  isInterfaceType,
  isObjectType,
  Kind,
} from 'graphql';

export interface Collecting {
  readonly schema: GraphQLSchema;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** Values of the variables that `@skip` and `@include` are given. */
  readonly conditions: Readonly<Record<string, boolean>>;
}

/** Response name → the fields that are selected under it, in the order in which the names first occur. */
export function collectFields(
  { schema, fragments, conditions }: Collecting,
  sets: readonly SelectionSetNode[],
  type: GraphQLNamedType,
): ReadonlyMap<string, readonly FieldNode[]> {
  const collected = new Map<string, FieldNode[]>();
  const visited = new Set<string>();
  for (const set of sets) collect(set);
  return collected;

  function collect(set: SelectionSetNode): void {
    for (const selection of set.selections) {
      if (!isIncluded(selection, conditions)) continue;
      if (selection.kind === Kind.FIELD) {
        const name = selection.alias?.value ?? selection.name.value;
        const fields = collected.get(name);
        if (fields) fields.push(selection);
        else collected.set(name, [selection]);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        if (applies(selection.typeCondition?.name.value)) collect(selection.selectionSet);
      } else if (!visited.has(selection.name.value)) {
        visited.add(selection.name.value);
        const fragment = fragments.get(selection.name.value);
        if (fragment && applies(fragment.typeCondition.name.value)) collect(fragment.selectionSet);
      }
    }
  }

  function applies(condition: string | undefined): boolean {
    if (condition === undefined || condition === type.name) return true;
    const wider = schema.getType(condition);
    if (!isAbstractType(wider)) return false;
    return (isObjectType(type) || isInterfaceType(type)) && schema.isSubType(wider, type);
  }
}

/** Whether its `@skip` and `@include` leave a selection in. */
export function isIncluded(selection: SelectionNode, conditions: Collecting['conditions']): boolean {
  if (!selection.directives?.length) return true;
  const skip = getDirectiveValues(GraphQLSkipDirective, selection, conditions);
  const include = getDirectiveValues(GraphQLIncludeDirective, selection, conditions);
  return skip?.['if'] !== true && include?.['if'] !== false;
}

/** The variables that decide what is selected, wherever they stand in the operation. */
export function conditionVariables(
  sets: readonly SelectionSetNode[],
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): readonly string[] {
  const found = new Set<string>();
  const visited = new Set<string>();
  const look = (set: SelectionSetNode): void => {
    for (const selection of set.selections) {
      for (const { name, arguments: given } of selection.directives ?? [])
        if (name.value === 'skip' || name.value === 'include')
          for (const { value } of given ?? []) if (value.kind === Kind.VARIABLE) found.add(value.name.value);
      if (selection.kind === Kind.FRAGMENT_SPREAD) {
        const fragment = fragments.get(selection.name.value);
        if (!fragment || visited.has(selection.name.value)) continue;
        visited.add(selection.name.value);
        look(fragment.selectionSet);
      } else if (selection.selectionSet) {
        look(selection.selectionSet);
      }
    }
  };
  for (const set of sets) look(set);
  return [...found];
}
