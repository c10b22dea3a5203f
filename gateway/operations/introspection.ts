/**
 * Takes the questions about the schema itself out of an operation: they go to the planning thread, since a small document
 * can ask for a large part of the schema many times over, and graphql-js answers it without a pause.
 */
import type {
  DocumentNode,
  FragmentDefinitionNode,
  OperationDefinitionNode,
  SelectionNode,
  SelectionSetNode,
} from 'graphql';
import { BREAK, Kind, visit } from 'graphql';

export interface SplitOperation {
  /** What departments are asked; null when that is nothing. */
  readonly plain: DocumentNode | null;
  /** What the schema is asked; null when that is nothing. */
  readonly introspection: DocumentNode | null;
}

const isOfSchema = (name: string) => name === '__schema' || name === '__type';

/** Throws nothing; `null` when a question about the schema stands anywhere but at the root, which is not served. */
export function splitIntrospection(document: DocumentNode): SplitOperation | null {
  if (!asksOfSchema(document)) return { plain: document, introspection: null };
  const plain = keepAtRoot(document, (name) => !isOfSchema(name));
  if (plain && asksOfSchema(plain)) return null;
  return { plain, introspection: keepAtRoot(document, isOfSchema) };
}

function asksOfSchema(document: DocumentNode): boolean {
  let found = false;
  visit(document, {
    Field({ name }) {
      if (!isOfSchema(name.value)) return undefined;
      found = true;
      return BREAK;
    },
  });
  return found;
}

/** The document with only those fields of the root, in its fragments too, whose name is kept; null when none is left. */
function keepAtRoot(document: DocumentNode, isKept: (name: string) => boolean): DocumentNode | null {
  const fragments = new Map<string, FragmentDefinitionNode>();
  let operation: OperationDefinitionNode | undefined;
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
    if (definition.kind === Kind.OPERATION_DEFINITION) operation = definition;
  }
  const atRoot = new Map<string, FragmentDefinitionNode | null>();

  function keep(set: SelectionSetNode): SelectionSetNode | null {
    const selections = set.selections.flatMap((selection): SelectionNode[] => {
      if (selection.kind === Kind.FIELD) return isKept(selection.name.value) ? [selection] : [];
      if (selection.kind === Kind.FRAGMENT_SPREAD)
        return keepFragment(selection.name.value) ? [selection] : [];
      const inner = keep(selection.selectionSet);
      return inner ? [{ ...selection, selectionSet: inner }] : [];
    });
    return selections.length > 0 ? { kind: Kind.SELECTION_SET, selections } : null;
  }

  function keepFragment(name: string): FragmentDefinitionNode | null {
    const known = atRoot.get(name);
    if (known !== undefined) return known;
    const fragment = fragments.get(name);
    const inner = fragment ? keep(fragment.selectionSet) : null;
    const kept = fragment && inner ? { ...fragment, selectionSet: inner } : null;
    atRoot.set(name, kept);
    return kept;
  }

  const set = operation ? keep(operation.selectionSet) : null;
  if (!operation || !set) return null;
  const rest = [...fragments].flatMap(([name, fragment]) => {
    const kept = atRoot.get(name);
    return kept === undefined ? [fragment] : (kept ?? []);
  });
  return usedOnly({ kind: Kind.DOCUMENT, definitions: [{ ...operation, selectionSet: set }, ...rest] });
}

/** Without the fragments that nothing spreads any more, nor the variables that nothing uses. */
function usedOnly(document: DocumentNode): DocumentNode {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  const spread = new Set<string>();
  const variables = new Set<string>();
  const reach = (node: OperationDefinitionNode | FragmentDefinitionNode) =>
    visit(node, {
      VariableDefinition: () => false,
      Variable({ name }) {
        variables.add(name.value);
      },
      FragmentSpread({ name }) {
        const fragment = fragments.get(name.value);
        if (!fragment || spread.has(name.value)) return;
        spread.add(name.value);
        reach(fragment);
      },
    });
  const definitions = document.definitions.flatMap((definition) => {
    if (definition.kind !== Kind.OPERATION_DEFINITION) return [];
    reach(definition);
    const variableDefinitions = definition.variableDefinitions?.filter(({ variable }) =>
      variables.has(variable.name.value),
    );
    return [{ ...definition, ...(variableDefinitions ? { variableDefinitions } : {}) }];
  });
  const used = [...fragments.values()].filter(({ name }) => spread.has(name.value));
  return { kind: Kind.DOCUMENT, definitions: [...definitions, ...used] };
}
