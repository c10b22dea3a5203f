/**
 * Requirements with arguments, such as `@requires(fields: "price(currency: EUR)")`. The planner keeps no arguments in what it
 * requires: of two requirements of one field the last one's arguments win, and the other field is given a wrong value without
 * a word. So each such field is planned as a field of its own without arguments, and called by its name again when the plan
 * is made (repair-plan.ts).
 */
import type {
  ConstDirectiveNode,
  ConstValueNode,
  DocumentNode,
  FieldDefinitionNode,
  FieldNode,
  InterfaceTypeDefinitionNode,
  ObjectTypeDefinitionNode,
  SelectionSetNode,
} from 'graphql';
import { Kind, parse, print, stripIgnoredCharacters, visit } from 'graphql';

type FieldsType = ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode;

/** What stands behind a field that was added: `price(currency: EUR)`. */
export interface AddedField {
  readonly field: string;
  /** Parentheses included. */
  readonly arguments: string;
}

export interface ArgumentRequirements {
  /** The supergraph as it is planned; the same text when no requirement has arguments. */
  readonly sdl: string;
  readonly added: ReadonlyMap<string, AddedField>;
  /** "Type.field subgraph" → what the field requires there, under the names that are planned. */
  readonly requires: ReadonlyMap<string, SelectionSetNode>;
  /** "Type subgraph" → the first key by which the subgraph resolves the type. */
  readonly keys: ReadonlyMap<string, SelectionSetNode>;
}

/** `sdl`: a supergraph. Arguments of a requirement are constants: the Federation specification allows no variables there. */
export function separateArguments(sdl: string): ArgumentRequirements {
  const document = parse(sdl, { noLocation: true });
  const types = new Map<string, FieldsType>();
  for (const definition of document.definitions)
    if (isFieldsType(definition)) types.set(definition.name.value, definition);
  const prefix = freePrefix(sdl);
  const added = new Map<string, AddedField>();
  const additions = new Map<string, Map<string, FieldDefinitionNode>>();
  const names = new Map<string, string>();
  const requires = new Map<string, SelectionSetNode>();
  const graphs = graphNames(document);
  const keys = new Map([...types.values()].flatMap((type) => keysOf(type, graphs)));

  const rewritten = visit(document, {
    ObjectTypeDefinition: (type) => withRequirements(type),
    InterfaceTypeDefinition: (type) => withRequirements(type),
  });
  if (added.size === 0) return { sdl, added, requires, keys };
  return { sdl: print(withAdditions(rewritten)), added, requires, keys };

  function withRequirements<Type extends FieldsType>(type: Type): Type {
    return { ...type, fields: (type.fields ?? []).map((field) => withSeparated(field, type.name.value)) };
  }

  function withSeparated(field: FieldDefinitionNode, type: string): FieldDefinitionNode {
    const directives = field.directives?.map((directive): ConstDirectiveNode => {
      const required = argumentOf(directive, 'requires');
      if (directive.name.value !== 'join__field' || required?.kind !== Kind.STRING) return directive;
      const separated = separate(parseSelection(required.value), type);
      const graph = argumentOf(directive, 'graph');
      const subgraph = graph?.kind === Kind.ENUM ? (graphs.get(graph.value) ?? '') : '';
      requires.set(`${type}.${field.name.value} ${subgraph}`, separated);
      const value = { ...required, value: stripIgnoredCharacters(print(separated)).slice(1, -1) };
      return {
        ...directive,
        arguments: (directive.arguments ?? []).map((one) =>
          one.value === required ? { ...one, value } : one,
        ),
      };
    });
    return { ...field, ...(directives ? { directives } : {}) };
  }

  function separate(set: SelectionSetNode, parent: string): SelectionSetNode {
    return {
      ...set,
      selections: set.selections.map((selection) => {
        if (selection.kind === Kind.INLINE_FRAGMENT)
          return {
            ...selection,
            selectionSet: separate(selection.selectionSet, selection.typeCondition?.name.value ?? parent),
          };
        if (selection.kind !== Kind.FIELD) return selection;
        const definition = types.get(parent)?.fields?.find(({ name }) => name.value === selection.name.value);
        const inner = selection.selectionSet && separate(selection.selectionSet, typeNameOf(definition));
        const { arguments: given, ...bare } = selection;
        const plain: FieldNode = { ...bare, ...(inner ? { selectionSet: inner } : {}) };
        if (!given?.length || !definition) return plain;
        return { ...plain, name: { kind: Kind.NAME, value: add(parent, definition, selection) } };
      }),
    };
  }

  function add(
    parent: string,
    definition: FieldDefinitionNode,
    { name, arguments: given }: FieldNode,
  ): string {
    const text = `(${(given ?? []).map((argument) => stripIgnoredCharacters(print(argument))).join(' ')})`;
    // One name for the same question, on whatever type it is asked: an interface and its types must agree.
    const question = `${name.value}${text}`;
    const own = names.get(question) ?? `${prefix}${names.size}`;
    names.set(question, own);
    added.set(own, { field: name.value, arguments: text });
    const implementing = [...types.values()].filter((type) => implementsType(type, parent));
    for (const type of [parent, ...implementing.map((one) => one.name.value)]) {
      const fields = additions.get(type) ?? new Map<string, FieldDefinitionNode>();
      additions.set(type, fields);
      if (fields.has(own)) continue;
      const original =
        types.get(type)?.fields?.find((field) => field.name.value === name.value) ?? definition;
      const { arguments: _, description: __, ...bare } = original;
      const field = { ...bare, name: { kind: Kind.NAME as const, value: own } };
      fields.set(own, field);
      // It may have requirements of its own.
      fields.set(own, withSeparated(field, type));
    }
    return own;
  }

  /** Appended when all are known: a type may be walked before what asks for its fields. */
  function withAdditions(from: DocumentNode): DocumentNode {
    const append = <Type extends FieldsType>(type: Type): Type | undefined => {
      const fields = additions.get(type.name.value);
      if (!fields) return undefined;
      return { ...type, fields: [...(type.fields ?? []), ...fields.values()] };
    };
    return visit(from, { ObjectTypeDefinition: append, InterfaceTypeDefinition: append });
  }
}

function parseSelection(text: string): SelectionSetNode {
  const [operation] = parse(`{${text}}`, { noLocation: true }).definitions;
  if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error('a requirement is no selection');
  return operation.selectionSet;
}

const argumentOf = (directive: ConstDirectiveNode, name: string): ConstValueNode | undefined =>
  directive.arguments?.find((argument) => argument.name.value === name)?.value;

const isFieldsType = (node: DocumentNode['definitions'][number]): node is FieldsType =>
  node.kind === Kind.OBJECT_TYPE_DEFINITION || node.kind === Kind.INTERFACE_TYPE_DEFINITION;

const implementsType = (type: FieldsType, name: string): boolean =>
  type.interfaces?.some((implemented) => implemented.name.value === name) ?? false;

function typeNameOf(field: FieldDefinitionNode | undefined): string {
  let type = field?.type;
  while (type && type.kind !== Kind.NAMED_TYPE) type = type.type;
  return type?.name.value ?? '';
}

/** The last of one name wins in a map: in reverse order that is the first. */
function keysOf(
  type: FieldsType,
  graphs: ReadonlyMap<string, string>,
): readonly (readonly [string, SelectionSetNode])[] {
  return [...(type.directives ?? [])].reverse().flatMap((directive) => {
    const [graph, key, resolvable] = ['graph', 'key', 'resolvable'].map((name) =>
      argumentOf(directive, name),
    );
    const isResolved = resolvable?.kind !== Kind.BOOLEAN || resolvable.value;
    if (directive.name.value !== 'join__type' || graph?.kind !== Kind.ENUM || key?.kind !== Kind.STRING)
      return [];
    if (!isResolved) return [];
    return [[`${type.name.value} ${graphs.get(graph.value) ?? ''}`, parseSelection(key.value)] as const];
  });
}

/** Values of the enum join__Graph → names of subgraphs. */
function graphNames(document: DocumentNode): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const definition of document.definitions)
    if (definition.kind === Kind.ENUM_TYPE_DEFINITION && definition.name.value === 'join__Graph')
      for (const value of definition.values ?? []) {
        const [directive] = value.directives ?? [];
        const name = directive && argumentOf(directive, 'name');
        names.set(value.name.value, name?.kind === Kind.STRING ? name.value : value.name.value);
      }
  return names;
}

/** A beginning of names that occurs nowhere in the graph. */
function freePrefix(sdl: string): string {
  let prefix = 'jxr_';
  while (sdl.includes(prefix)) prefix = `jx${prefix.slice(2)}x_`;
  return prefix;
}
