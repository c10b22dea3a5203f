/**
 * The harness's own reading of a supergraph file: which fields stand behind a catalogue item, and on which ways a client can
 * come to each of them. It shares no code with the gateway, so that a mistake of the one is not a mistake of the other.
 */
import type { ConstDirectiveNode, FieldDefinitionNode, InputValueDefinitionNode, TypeNode } from 'graphql';
import { Kind, parse } from 'graphql';

export interface GraphField {
  readonly name: string;
  readonly type: TypeNode;
  /** The named type within lists and non-null. */
  readonly of: string;
  readonly arguments: readonly InputValueDefinitionNode[];
  /** Catalogue items of its `@policy`, all of them needed. */
  readonly items: readonly string[];
  readonly isInaccessible: boolean;
}

export interface GraphType {
  readonly name: string;
  readonly kind: 'object' | 'interface' | 'union' | 'enum' | 'input' | 'scalar';
  readonly fields: ReadonlyMap<string, GraphField>;
  /** Of an input object. */
  readonly inputs: readonly InputValueDefinitionNode[];
  readonly interfaces: readonly string[];
  /** Of a union. */
  readonly members: readonly string[];
  /** Of an enum. */
  readonly values: readonly string[];
}

export type Graph = ReadonlyMap<string, GraphType>;

/** A field that stands behind an item. */
export interface Coordinate {
  readonly id: string;
  readonly type: string;
  readonly field: GraphField;
}

/** One step from a type by a field; the next step stands on `field.of`, or on a type that implements it. */
export interface Step {
  readonly on: string;
  readonly field: GraphField;
}

/** The protected fields of one type, and one way to it from one root field. */
export interface Access {
  readonly operation: 'query' | 'mutation';
  readonly steps: readonly Step[];
  readonly type: string;
  readonly coordinates: readonly Coordinate[];
  /** Whether clients can see all of it: what is inaccessible is asked for by itself, and must be refused. */
  readonly isOpen: boolean;
}

export function namedTypeOf(type: TypeNode): string {
  return type.kind === Kind.NAMED_TYPE ? type.name.value : namedTypeOf(type.type);
}

export function readGraph(sdl: string): Graph {
  const graph = new Map<string, GraphType>();
  for (const definition of parse(sdl, { noLocation: true }).definitions) {
    if (!('name' in definition) || !definition.name || /^(join|link)__/.test(definition.name.value)) continue;
    const name = definition.name.value;
    const nothing = {
      name,
      fields: new Map<string, GraphField>(),
      inputs: [],
      interfaces: [],
      members: [],
      values: [],
    };
    if (definition.kind === Kind.OBJECT_TYPE_DEFINITION || definition.kind === Kind.INTERFACE_TYPE_DEFINITION)
      graph.set(name, {
        ...nothing,
        kind: definition.kind === Kind.OBJECT_TYPE_DEFINITION ? 'object' : 'interface',
        fields: new Map((definition.fields ?? []).map((field) => [field.name.value, toField(field)])),
        interfaces: (definition.interfaces ?? []).map((one) => one.name.value),
      });
    else if (definition.kind === Kind.INPUT_OBJECT_TYPE_DEFINITION)
      graph.set(name, { ...nothing, kind: 'input', inputs: definition.fields ?? [] });
    else if (definition.kind === Kind.ENUM_TYPE_DEFINITION)
      graph.set(name, {
        ...nothing,
        kind: 'enum',
        values: (definition.values ?? []).map((value) => value.name.value),
      });
    else if (definition.kind === Kind.UNION_TYPE_DEFINITION)
      graph.set(name, {
        ...nothing,
        kind: 'union',
        members: (definition.types ?? []).map((one) => one.name.value),
      });
    else if (definition.kind === Kind.SCALAR_TYPE_DEFINITION) graph.set(name, { ...nothing, kind: 'scalar' });
  }
  return graph;
}

function toField(field: FieldDefinitionNode): GraphField {
  return {
    name: field.name.value,
    type: field.type,
    of: namedTypeOf(field.type),
    arguments: field.arguments ?? [],
    items: (field.directives ?? []).filter(({ name }) => name.value === 'policy').flatMap(itemsOf),
    isInaccessible: (field.directives ?? []).some(({ name }) => name.value === 'inaccessible'),
  };
}

/** Every string of the directive: a harness may ask for too much, never for too little. */
function itemsOf(directive: ConstDirectiveNode): readonly string[] {
  const strings: string[] = [];
  const collect = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(collect);
    else if (typeof value === 'object' && value !== null) {
      const node = value as { kind?: string; value?: unknown; values?: unknown };
      if (node.kind === Kind.STRING) strings.push(String(node.value));
      else collect(node.values ?? node.value);
    }
  };
  collect((directive.arguments ?? []).map(({ value }) => value));
  return strings;
}

/** All protected fields of object and interface types. */
export function protectedFields(graph: Graph): readonly Coordinate[] {
  return [...graph.values()].flatMap((type) =>
    [...type.fields.values()]
      .filter(({ items }) => items.length > 0)
      .map((field) => ({ id: `${type.name}.${field.name}`, type: type.name, field })),
  );
}

export function isLeaf(graph: Graph, type: string): boolean {
  const kind = graph.get(type)?.kind;
  return kind === undefined || kind === 'enum' || kind === 'scalar';
}

/** Object types that a value of this type can be. */
export function possibleTypes(graph: Graph, name: string): readonly string[] {
  const type = graph.get(name);
  if (type?.kind === 'union') return type.members;
  if (type?.kind !== 'interface') return type ? [name] : [];
  return [...graph.values()]
    .filter(({ kind, interfaces }) => kind === 'object' && interfaces.includes(name))
    .map((one) => one.name);
}

/** For every root field, the shortest way to each type that has protected fields; inaccessible fields stand apart. */
export function findAccesses(graph: Graph): readonly Access[] {
  const coordinates = protectedFields(graph);
  return (['query', 'mutation'] as const).flatMap((operation) => {
    const root = operation === 'query' ? 'Query' : 'Mutation';
    return [...(graph.get(root)?.fields.values() ?? [])].flatMap((field) => {
      const own = coordinates.filter(({ id }) => id === `${root}.${field.name}`);
      const below = waysFrom(graph, { on: root, field }).map((way) => ({
        ...way,
        coordinates: coordinates.filter(({ type }) => type === way.type),
      }));
      return [{ steps: [], type: root, coordinates: own }, ...below].flatMap((way) => {
        const isWayOpen = !way.steps.some((step) => step.field.isInaccessible);
        return [true, false].flatMap((isOpen): Access[] => {
          const some = way.coordinates.filter((one) => (isWayOpen && !one.field.isInaccessible) === isOpen);
          return some.length > 0 ? [{ operation, ...way, coordinates: some, isOpen }] : [];
        });
      });
    });
  });
}

function waysFrom(graph: Graph, first: Step): readonly { steps: readonly Step[]; type: string }[] {
  const found = new Map<string, readonly Step[]>();
  let open = possibleTypes(graph, first.field.of).map((type) => ({
    type,
    steps: [first] as readonly Step[],
  }));
  while (open.length > 0) {
    const next: typeof open = [];
    for (const { type, steps } of open) {
      if (found.has(type)) continue;
      found.set(type, steps);
      for (const field of graph.get(type)?.fields.values() ?? [])
        for (const to of isLeaf(graph, field.of) ? [] : possibleTypes(graph, field.of))
          next.push({ type: to, steps: [...steps, { on: type, field }] });
    }
    open = next;
  }
  return [...found].map(([type, steps]) => ({ type, steps }));
}
