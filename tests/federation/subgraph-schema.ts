/** One subgraph of a graph: its SDL, answered from the world. */
import { buildSubgraphSchema } from '@apollo/subgraph';
import type {
  DocumentNode,
  ExecutionResult,
  GraphQLFieldResolver,
  GraphQLSchema,
  SelectionSetNode,
} from 'graphql';
import { graphql, isAbstractType, isInterfaceType, isObjectType, Kind, parse } from 'graphql';
import { isDeepStrictEqual } from 'node:util';
import { resolveByData, resolveByRequirement } from './behaviours.ts';
import { pick, readFieldSets } from './field-sets.ts';
import type { Graph } from './graph-file.ts';
import type { Seen, Thing, World } from './world.ts';
import { isSeen } from './world.ts';

type Representation = Readonly<Record<string, unknown>>;

export interface Subgraph {
  readonly name: string;
  readonly document: DocumentNode;
  answer(query: string, variables: Representation, view: SubgraphView): Promise<ExecutionResult>;
}

export interface SubgraphView {
  readonly world: World;
  /** Names of things that this subgraph does not know as entities. */
  readonly missing: readonly string[];
}

const LINK =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", "@requires", "@provides", "@external", "@override", "@inaccessible", "@interfaceObject", "@extends"])\n';

export function createSubgraph(name: string, sdl: string, fields: Graph['fields']): Subgraph {
  const document = parse(LINK + sdl);
  const { keys, requires } = readFieldSets(document);
  const resolvers: Record<string, unknown> = {};
  const schema = buildSubgraphSchema([{ typeDefs: document, resolvers: resolvers as never }]);
  for (const type of Object.values(schema.getTypeMap())) {
    if (isAbstractType(type) && type.name !== '_Entity') type.resolveType = typeOf;
    if (!isObjectType(type) && !isInterfaceType(type)) continue;
    type.extensions = {
      ...type.extensions,
      apollo: {
        subgraph: {
          resolveReference: (given: Representation, view: SubgraphView) => resolveReference(given, view),
        },
      },
    };
  }

  /** The thing that the representation names by a key that this subgraph resolves; null where it knows none. */
  function resolveReference(given: Representation, { world, missing }: SubgraphView): Seen | null {
    const type = String(given['__typename']);
    const known = keys.get(type)?.filter((key) => isComplete(key, given)) ?? [];
    if (known.length === 0) throw new Error(`${name} was asked for a ${type} without a key of its own`);
    const thing = world
      .all()
      .find((one) => isA(schema, one, type) && known.every((key) => isNamedBy(key, one, given, world)));
    return thing && !missing.includes(String(thing.name)) ? { thing, given } : null;
  }

  const fieldResolver: GraphQLFieldResolver<unknown, SubgraphView> = (source, args, { world }, info) => {
    const seen = isSeen(source) ? source : { thing: world.root(info.parentType.name), given: null };
    const coordinate = `${info.parentType.name}.${info.fieldName}`;
    const set = requires.get(coordinate);
    if (set) {
      if (!seen.given) throw new Error(`${coordinate} was asked for without what it requires`);
      const required = pick(set, seen.given, {
        read: (given, field) => given[field.name.value],
        isA: ({ __typename: own }, type) => (typeof own === 'string' ? isNameOf(schema, own, type) : null),
        isItem: isRepresentation,
      });
      const value = resolveByRequirement(required, args, info.returnType);
      if (value !== undefined) return value;
    }
    return resolveByData(world, {
      thing: seen.thing,
      field: info.fieldName,
      type: info.returnType,
      args,
      behaviour: fields[coordinate],
    });
  };

  return {
    name,
    document,
    answer: (source, variableValues, contextValue) =>
      graphql({ schema, source, variableValues, contextValue, fieldResolver }),
  };
}

export function typeOf(seen: unknown): string {
  if (!isSeen(seen)) throw new Error('only a thing has a type');
  return seen.thing.type;
}

/** True for an interface object too, which has the name of an interface whose types other subgraphs know. */
function isA(schema: GraphQLSchema, thing: Thing, type: string): boolean {
  const declared = schema.getType(type);
  return (
    isNameOf(schema, thing.type, type) || (isObjectType(declared) && schema.getType(thing.type) === undefined)
  );
}

function isNameOf(schema: GraphQLSchema, name: string, type: string): boolean {
  if (name === type) return true;
  const [one, other] = [schema.getType(name), schema.getType(type)];
  return isAbstractType(other) && isObjectType(one) && schema.isSubType(other, one);
}

function isComplete(key: SelectionSetNode, given: unknown): boolean {
  return key.selections.every((selection) => {
    if (selection.kind !== Kind.FIELD || !isRepresentation(given)) return false;
    const value = given[selection.name.value];
    if (value === undefined) return false;
    const { selectionSet } = selection;
    if (!selectionSet || value === null) return true;
    return (Array.isArray(value) ? value : [value]).every((entry) => isComplete(selectionSet, entry));
  });
}

function isNamedBy(key: SelectionSetNode, thing: Thing, given: Representation, world: World): boolean {
  const ofThing = pick(key, thing, {
    read: ({ values }, field) => toThings(world, values[field.name.value], field.selectionSet !== undefined),
    isA: () => true,
    isItem: (value): value is Thing => isRepresentation(value) && isRepresentation(value['values']),
  });
  const ofGiven = pick(key, given, {
    read: (representation, field) => representation[field.name.value],
    isA: () => true,
    isItem: isRepresentation,
  });
  return isDeepStrictEqual(ofThing, ofGiven);
}

function toThings(world: World, raw: unknown, isComposite: boolean): unknown {
  if (!isComposite || raw === null || raw === undefined) return raw;
  if (Array.isArray(raw)) return raw.map((entry) => toThings(world, entry, true));
  return typeof raw === 'string' ? world.named(raw) : { type: '', name: null, values: raw };
}

function isRepresentation(value: unknown): value is Representation {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
