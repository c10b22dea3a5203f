/** What subgraphs say of keys and requirements, and what such a field set picks from an object. */
import type {
  ConstDirectiveNode,
  DocumentNode,
  FieldNode,
  ObjectTypeExtensionNode,
  SelectionSetNode,
} from 'graphql';
import { Kind, parse } from 'graphql';

export interface FieldSets {
  /** "Type.field" → what it requires. */
  readonly requires: ReadonlyMap<string, SelectionSetNode>;
  /** Type → its keys that the subgraph resolves. */
  readonly keys: ReadonlyMap<string, readonly SelectionSetNode[]>;
}

type TypeNode = Pick<ObjectTypeExtensionNode, 'name' | 'directives' | 'fields'>;

export function readFieldSets(document: DocumentNode): FieldSets {
  const requires = new Map<string, SelectionSetNode>();
  const keys = new Map<string, SelectionSetNode[]>();
  for (const definition of document.definitions) {
    if (!isTypeWithFields(definition)) continue;
    const type = definition.name.value;
    for (const directive of definition.directives ?? []) {
      if (directive.name.value !== 'key' || argumentOf(directive, 'resolvable') === false) continue;
      keys.set(type, [...(keys.get(type) ?? []), toSelectionSet(argumentOf(directive, 'fields'))]);
    }
    for (const field of definition.fields ?? [])
      for (const directive of field.directives ?? [])
        if (directive.name.value === 'requires')
          requires.set(`${type}.${field.name.value}`, toSelectionSet(argumentOf(directive, 'fields')));
  }
  return { requires, keys };
}

/**
 * What the set picks of an object; one that lacks a field has ABSENT there, so that no answer can be right by accident. `read`
 * tells a field of an object, `isA` whether an object is of a type; null: it does not say, and then it
 * is of the type as far as it has the fields.
 */
export function pick<Item>(
  set: SelectionSetNode,
  item: Item,
  view: {
    readonly read: (item: Item, field: FieldNode) => unknown;
    readonly isA: (item: Item, type: string) => boolean | null;
    readonly isItem: (value: unknown) => value is Item;
  },
): Record<string, unknown> {
  const picked: Record<string, unknown> = {};
  for (const selection of set.selections) {
    if (selection.kind === Kind.FRAGMENT_SPREAD) throw new Error('a field set has no named fragments');
    if (selection.kind === Kind.INLINE_FRAGMENT) {
      const type = selection.typeCondition?.name.value;
      const isOfType = type === undefined ? true : view.isA(item, type);
      if (isOfType === false) continue;
      const inner = Object.entries(pick(selection.selectionSet, item, view));
      for (const [name, value] of inner) if (isOfType || value !== ABSENT) picked[name] = value;
    } else if (selection.name.value !== '__typename')
      picked[selection.name.value] = ofValue(view.read(item, selection), selection.selectionSet);
  }
  return picked;

  function ofValue(value: unknown, inner: SelectionSetNode | undefined): unknown {
    if (value === undefined) return ABSENT;
    if (value instanceof Error) return null;
    if (Array.isArray(value)) return value.map((entry: unknown) => ofValue(entry, inner));
    return inner && view.isItem(value) ? pick(inner, value, view) : value;
  }
}

export const ABSENT = '(absent)';

function isTypeWithFields(node: DocumentNode['definitions'][number]): node is typeof node & TypeNode {
  return (
    node.kind === Kind.OBJECT_TYPE_DEFINITION ||
    node.kind === Kind.OBJECT_TYPE_EXTENSION ||
    node.kind === Kind.INTERFACE_TYPE_DEFINITION ||
    node.kind === Kind.INTERFACE_TYPE_EXTENSION
  );
}

function argumentOf(directive: ConstDirectiveNode, name: string): unknown {
  const value = directive.arguments?.find((argument) => argument.name.value === name)?.value;
  return value && 'value' in value ? value.value : undefined;
}

function toSelectionSet(fields: unknown): SelectionSetNode {
  const [operation] = parse(`{ ${String(fields)} }`).definitions;
  if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error('a field set is a selection');
  return operation.selectionSet;
}
