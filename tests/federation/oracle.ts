/** The answer that one server with all of the data would give: graphql-js over the merged API schema. */
import { Supergraph } from '@apollo/federation-internals';
import type { ExecutionResult, GraphQLFieldResolver, GraphQLSchema, SelectionSetNode } from 'graphql';
import { buildASTSchema, getArgumentValues, graphql, isAbstractType, isObjectType, parse } from 'graphql';
import { resolveByData, resolveByRequirement } from './behaviours.ts';
import { pick } from './field-sets.ts';
import type { Graph } from './graph-file.ts';
import { typeOf } from './subgraph-schema.ts';
import type { Seen, World } from './world.ts';
import { isSeen } from './world.ts';

export interface Oracle {
  /** What clients see. */
  readonly schema: GraphQLSchema;
  answer(operation: {
    readonly operation: string;
    readonly operationName?: string | undefined;
    readonly variables: Readonly<Record<string, unknown>>;
    readonly world: World;
  }): Promise<ExecutionResult>;
}

/** `requires`: "Type.field" → what it requires, of all subgraphs. */
export function createOracle(
  supergraph: string,
  graph: Pick<Graph, 'fields'>,
  requires: ReadonlyMap<string, SelectionSetNode>,
): Oracle {
  const schema = Supergraph.build(supergraph, { supportedFeatures: null }).apiSchema().toGraphQLJSSchema();
  /** With what clients do not see: a field may require it. */
  const full = buildASTSchema(parse(supergraph), { assumeValid: true, assumeValidSDL: true });

  const fieldResolver: GraphQLFieldResolver<unknown, World> = (source, args, world, info) => {
    const seen = isSeen(source) ? source : { thing: world.root(info.parentType.name), given: null };
    return resolve(world, seen, info.fieldName, args);
  };

  function resolve(world: World, seen: Seen, field: string, args: Record<string, unknown>): unknown {
    const type = full.getType(seen.thing.type);
    if (!isObjectType(type)) throw new Error(`${seen.thing.type} is no object type`);
    const definition = type.getFields()[field];
    if (!definition) return null;
    // A field may be declared on the interface alone: by an interface object.
    const coordinates = [type, ...type.getInterfaces()].map(({ name }) => `${name}.${field}`);
    const set = coordinates
      .map((coordinate) => requires.get(coordinate))
      .find((found) => found !== undefined);
    const value = set && resolveByRequirement(require(world, seen, set), args, definition.type);
    if (value !== undefined) return value;
    const behaviour = coordinates
      .map((coordinate) => graph.fields[coordinate])
      .find((found) => found !== undefined);
    return resolveByData(world, { thing: seen.thing, field, type: definition.type, args, behaviour });
  }

  function require(world: World, seen: Seen, set: SelectionSetNode): Record<string, unknown> {
    return pick(set, seen, {
      read(inner, field) {
        const type = full.getType(inner.thing.type);
        const definition = isObjectType(type) ? type.getFields()[field.name.value] : undefined;
        if (!definition) throw new Error(`${inner.thing.type} has no ${field.name.value}`);
        return resolve(world, inner, field.name.value, getArgumentValues(definition, field));
      },
      isA(inner, name) {
        const [one, other] = [full.getType(inner.thing.type), full.getType(name)];
        return (
          inner.thing.type === name ||
          (isAbstractType(other) && isObjectType(one) && full.isSubType(other, one))
        );
      },
      isItem: isSeen,
    });
  }

  return {
    schema,
    answer: ({ operation, operationName, variables, world }) =>
      graphql({
        schema,
        source: operation,
        operationName,
        variableValues: variables,
        contextValue: world,
        fieldResolver,
        typeResolver: typeOf,
      }),
  };
}
