/**
 * A planned fetch of root fields → the look-ups of persons in it, each on its own, and what is left. Worked out once per fetch.
 */
import type {
  FieldNode,
  FragmentDefinitionNode,
  GraphQLSchema,
  InlineFragmentNode,
  OperationDefinitionNode,
  SelectionNode,
  SelectionSetNode,
} from 'graphql';
import { getVariableValues, Kind, parse, print, visit } from 'graphql';
import { isLookup, numbersOf } from '../limits/lookups.ts';
import type { Requirements } from '../supergraph/load.ts';
import type { FetchOperation } from './fetch-operation.ts';
import { readFetchOperation } from './fetch-operation.ts';
import { usedDefinitions } from './used-variables.ts';

type Variables = Readonly<Record<string, unknown>>;

export interface LookupFetch {
  /** The root fields of the fetch that look nobody up; null when there are none. */
  readonly rest: FetchOperation | null;
  /** All look-ups together. */
  readonly whole: FetchOperation;
  /** The same for `__typename` and `id` alone. */
  readonly probe: FetchOperation;
  readonly fields: readonly LookupField[];
}

export interface LookupField {
  /** Response key of the fetch. */
  readonly key: string;
  /** Items that the field itself needs, whatever is selected below it. */
  readonly items: readonly string[];
  /** The field alone. */
  readonly operation: FetchOperation;
  numbers(variables: Variables): readonly string[];
}

/** The look-ups in a fetch of root fields; null when it holds none. */
export function readLookups(
  query: string,
  schema: GraphQLSchema,
  requirements: Requirements,
): LookupFetch | null {
  const document = parse(query, { noLocation: true });
  const operation = document.definitions.find(
    (definition): definition is OperationDefinitionNode => definition.kind === Kind.OPERATION_DEFINITION,
  );
  const root = operation && schema.getRootType(operation.operation);
  if (!operation || !root) return null;
  const definitions = root.getFields();
  const fragments = new Map(
    document.definitions
      .filter((one): one is FragmentDefinitionNode => one.kind === Kind.FRAGMENT_DEFINITION)
      .map((fragment) => [fragment.name.value, fragment]),
  );
  const rest: SelectionNode[] = [];
  const lookups = new Map<string, { field: FieldNode; selections: SelectionNode[] }>();
  for (const { field, selection } of spread(writeOut(operation.selectionSet, fragments))) {
    const definition = definitions[field.name.value];
    const key = field.alias?.value ?? field.name.value;
    const known = lookups.get(key);
    if (!definition || !isLookup(definition)) rest.push(selection);
    else if (known) known.selections.push(selection);
    else lookups.set(key, { field, selections: [selection] });
  }
  if (lookups.size === 0) return null;
  const toOperation = (selections: readonly SelectionNode[]) =>
    readFetchOperation(printOperation(operation, selections), schema, requirements);
  const all = [...lookups.values()].flatMap(({ selections }) => selections);
  return {
    rest: rest.length > 0 ? toOperation(rest) : null,
    whole: toOperation(all),
    probe: toOperation(all.map(toProbe)),
    fields: [...lookups].map(([key, { field, selections }]) => ({
      key,
      items: requirements.get(`${root.name}.${field.name.value}`) ?? [],
      operation: toOperation(selections),
      numbers(variables) {
        const definition = definitions[field.name.value];
        // With the defaults that the operation gives to variables.
        const { coerced } = getVariableValues(schema, operation.variableDefinitions ?? [], variables);
        return definition && coerced ? numbersOf(definition, field, coerced) : [];
      },
    })),
  };
}

/** The root fields, each with the fragments and conditions that it stands under. */
function spread(
  set: SelectionSetNode,
  under: (field: SelectionNode) => SelectionNode = (field) => field,
): readonly { field: FieldNode; selection: SelectionNode }[] {
  return set.selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return [{ field: selection, selection: under(selection) }];
    if (selection.kind !== Kind.INLINE_FRAGMENT) return [];
    return spread(selection.selectionSet, (field) =>
      under({ ...selection, selectionSet: { kind: Kind.SELECTION_SET, selections: [field] } }),
    );
  });
}

/** Fragments written out where they stand: a part of the fetch must not need what another part defines. */
function writeOut(
  set: SelectionSetNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): SelectionSetNode {
  return visit(set, {
    FragmentSpread(spreadNode): InlineFragmentNode | null {
      const fragment = fragments.get(spreadNode.name.value);
      if (!fragment) return null;
      return {
        kind: Kind.INLINE_FRAGMENT,
        typeCondition: fragment.typeCondition,
        ...(spreadNode.directives ? { directives: spreadNode.directives } : {}),
        selectionSet: writeOut(fragment.selectionSet, fragments),
      };
    },
  });
}

const ID: SelectionSetNode = {
  kind: Kind.SELECTION_SET,
  selections: ['__typename', 'id'].map((value) => ({ kind: Kind.FIELD, name: { kind: Kind.NAME, value } })),
};

function toProbe(selection: SelectionNode): SelectionNode {
  if (selection.kind === Kind.FIELD) return { ...selection, selectionSet: ID };
  if (selection.kind !== Kind.INLINE_FRAGMENT) return selection;
  const selections = selection.selectionSet.selections.map(toProbe);
  return { ...selection, selectionSet: { kind: Kind.SELECTION_SET, selections } };
}

/** The operation for some of its root fields, with the variables that they use and no others. */
function printOperation(operation: OperationDefinitionNode, selections: readonly SelectionNode[]): string {
  const selectionSet: SelectionSetNode = { kind: Kind.SELECTION_SET, selections };
  const variableDefinitions = usedDefinitions(operation, selectionSet);
  return print({ ...operation, variableDefinitions, selectionSet });
}
