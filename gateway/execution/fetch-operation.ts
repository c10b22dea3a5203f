/**
 * The text of one planned fetch → what authorization and the cache must know of it. Worked out once per text.
 *
 * A field of the fetch is named by its coordinate; which items it needs comes from the supergraph, so that the rules hold
 * for whatever shape the planner gave the fetch.
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
import {
  getNamedType,
  isInterfaceType,
  isObjectType,
  Kind,
  parse,
  print,
  stripIgnoredCharacters,
} from 'graphql';
import { holdsRecords } from './adverse-records.ts';
import { usedDefinitions } from './used-variables.ts';
import type { Requirements } from '../supergraph/load.ts';

export interface FetchOperation {
  readonly isEntities: boolean;
  /** Whether it can bring adverse records. */
  readonly holdsRecords: boolean;
  /** All items of all its fields. */
  readonly items: readonly string[];
  /** Response keys directly on the entity (or on the root), per type condition: what is null when nothing came. */
  readonly topKeys: readonly string[];
  /** Those of them that bring objects. */
  readonly compositeKeys: readonly string[];
  /** The fetch without the fields that need one of `denied`, and what was cut by it. */
  without(denied: ReadonlySet<string>): CutOperation;
}

export interface CutOperation {
  /** Null when nothing is left to ask for. */
  readonly query: string | null;
  readonly cut: readonly CutField[];
  /** Of a fetch of entities: what it takes to ask for it together with others (joint-query.ts). Null for root fields. */
  readonly joinable: Joinable | null;
}

export interface Joinable {
  /** What is asked of each entity, braces included. */
  readonly selection: string;
  /** Definition of each variable, without the representations. */
  readonly variables: ReadonlyMap<string, string>;
}

export interface CutField {
  readonly path: readonly string[];
  readonly item: string;
}

export function readFetchOperation(
  query: string,
  schema: GraphQLSchema,
  requirements: Requirements,
): FetchOperation {
  const document = parse(query, { noLocation: true });
  const operation = document.definitions.find(
    (definition): definition is OperationDefinitionNode => definition.kind === Kind.OPERATION_DEFINITION,
  );
  if (!operation) throw new Error('a fetch of the plan holds no operation');
  const fragments = new Map(
    document.definitions
      .filter(
        (definition): definition is FragmentDefinitionNode => definition.kind === Kind.FRAGMENT_DEFINITION,
      )
      .map((fragment) => [fragment.name.value, fragment]),
  );
  const root = schema.getRootType(operation.operation);
  const [first] = operation.selectionSet.selections;
  const isEntities = first?.kind === Kind.FIELD && first.name.value === '_entities';
  const cuts = new Map<string, CutOperation>();
  const items = new Set<string>();
  collectItems(operation.selectionSet, root);
  const topFields = topFieldsOf(
    isEntities ? (first.selectionSet?.selections ?? []) : operation.selectionSet.selections,
  );
  const whole: CutOperation = { query, cut: [], joinable: toJoinable(operation.selectionSet) };

  return {
    isEntities,
    holdsRecords: holdsRecords(query),
    items: [...items],
    topKeys: [...new Set(topFields.map(responseKey))],
    compositeKeys: [
      ...new Set(topFields.filter(({ selectionSet }) => selectionSet !== undefined).map(responseKey)),
    ],
    without(denied) {
      if (denied.size === 0) return whole;
      const key = [...denied].sort().join(' ');
      const known = cuts.get(key);
      if (known !== undefined) return known;
      const made = cutFields(denied);
      cuts.set(key, made);
      return made;
    },
  };

  function itemsOf(parent: GraphQLNamedType | null | undefined, field: FieldNode): readonly string[] {
    if (!parent) return [];
    const owners = isInterfaceType(parent) ? [parent, ...schema.getPossibleTypes(parent)] : [parent];
    return owners.flatMap((owner) => requirements.get(`${owner.name}.${field.name.value}`) ?? []);
  }

  function innerType(parent: GraphQLNamedType | null | undefined, field: FieldNode): GraphQLNamedType | null {
    if (!parent || (!isObjectType(parent) && !isInterfaceType(parent))) return null;
    const type = parent.getFields()[field.name.value]?.type;
    return type ? getNamedType(type) : null;
  }

  function conditioned(selection: SelectionNode, parent: GraphQLNamedType | null | undefined) {
    if (selection.kind === Kind.INLINE_FRAGMENT && selection.typeCondition)
      return schema.getType(selection.typeCondition.name.value) ?? null;
    return parent;
  }

  function collectItems(set: SelectionSetNode, parent: GraphQLNamedType | null | undefined): void {
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) {
        for (const item of itemsOf(parent, selection)) items.add(item);
        if (selection.selectionSet) collectItems(selection.selectionSet, innerType(parent, selection));
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        collectItems(selection.selectionSet, conditioned(selection, parent));
      } else {
        const fragment = fragments.get(selection.name.value);
        if (fragment) collectItems(fragment.selectionSet, schema.getType(fragment.typeCondition.name.value));
      }
    }
  }

  function cutFields(denied: ReadonlySet<string>): CutOperation {
    const cut: CutField[] = [];
    const set = cutSelections(operation?.selectionSet as SelectionSetNode, root, []);
    if (!set) return { query: null, cut, joinable: null };
    const without: DocumentNode = {
      kind: Kind.DOCUMENT,
      definitions: [
        {
          ...(operation as OperationDefinitionNode),
          // A variable that nothing uses any more is none that a subgraph would take.
          variableDefinitions: usedDefinitions(operation as OperationDefinitionNode, set),
          selectionSet: set,
        },
      ],
    };
    return { query: print(without), cut, joinable: toJoinable(set) };

    function cutSelections(
      from: SelectionSetNode,
      parent: GraphQLNamedType | null | undefined,
      path: readonly string[],
    ): SelectionSetNode | null {
      const left = from.selections.flatMap((selection): SelectionNode[] => {
        if (selection.kind === Kind.FRAGMENT_SPREAD) {
          // Fragments are written out: what one place may show another may not.
          const fragment = fragments.get(selection.name.value);
          const inner =
            fragment &&
            cutSelections(fragment.selectionSet, schema.getType(fragment.typeCondition.name.value), path);
          return fragment && inner
            ? [{ kind: Kind.INLINE_FRAGMENT, typeCondition: fragment.typeCondition, selectionSet: inner }]
            : [];
        }
        if (selection.kind === Kind.INLINE_FRAGMENT) {
          const inner = cutSelections(selection.selectionSet, conditioned(selection, parent), path);
          return inner ? [{ ...selection, selectionSet: inner }] : [];
        }
        const key = selection.alias?.value ?? selection.name.value;
        const item = itemsOf(parent, selection).find((needed) => denied.has(needed));
        if (item !== undefined) {
          cut.push({ path: [...path, key], item });
          return [];
        }
        if (!selection.selectionSet) return [selection];
        const isEntry = path.length === 0 && selection.name.value === '_entities';
        const inner = cutSelections(
          selection.selectionSet,
          innerType(parent, selection),
          isEntry ? [] : [...path, key],
        );
        return inner ? [{ ...selection, selectionSet: inner }] : [];
      });
      // `__typename` alone is not worth a call: nothing that was asked for is left.
      const isEmpty = left.every(
        (selection) => selection.kind === Kind.FIELD && selection.name.value === '__typename',
      );
      return isEmpty ? null : { kind: Kind.SELECTION_SET, selections: left };
    }
  }

  /** Fields directly on the entity (or on the root), of whatever type. */
  function topFieldsOf(selections: readonly SelectionNode[]): readonly FieldNode[] {
    return selections.flatMap((selection) => {
      if (selection.kind === Kind.FIELD) return selection.name.value === '__typename' ? [] : [selection];
      if (selection.kind === Kind.INLINE_FRAGMENT) return topFieldsOf(selection.selectionSet.selections);
      return topFieldsOf(fragments.get(selection.name.value)?.selectionSet.selections ?? []);
    });
  }

  /** Null where a fragment is spread: its definition stands outside of what is joined. */
  function toJoinable({ selections: [entry] }: SelectionSetNode): Joinable | null {
    if (!isEntities || fragments.size > 0 || entry?.kind !== Kind.FIELD || !entry.selectionSet) return null;
    return {
      selection: stripIgnoredCharacters(print(entry.selectionSet)),
      variables: new Map(
        usedDefinitions(operation as OperationDefinitionNode, entry.selectionSet).map((definition) => [
          definition.variable.name.value,
          print(definition),
        ]),
      ),
    };
  }
}

const responseKey = ({ alias, name }: FieldNode): string => alias?.value ?? name.value;
