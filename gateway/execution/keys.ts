/**
 * Response keys inside the gateway. A client's alias is never one of them: an aliased field, or one with arguments, is
 * fetched under a private key made of its response name, so that it can never stand for another field.
 */
import type { FieldNode, GraphQLNamedType, GraphQLOutputType, GraphQLSchema } from 'graphql';
import { PRIVATE_PREFIX } from '../../schema/joint-fetch.ts';
import {
  isInterfaceType,
  isObjectType,
  SchemaMetaFieldDef,
  TypeMetaFieldDef,
  TypeNameMetaFieldDef,
} from 'graphql';

/** The key under which a field of the client's operation is fetched. */
export function keyOf(field: FieldNode): string {
  const name = field.name.value;
  if (name === '__typename') return name;
  const responseName = field.alias?.value ?? name;
  // A field of such a name would be taken for a private key.
  return responseName !== name || field.arguments?.length || name.startsWith(PRIVATE_PREFIX)
    ? `${PRIVATE_PREFIX}${responseName}`
    : name;
}

/**
 * The name under which a client's variable is planned. A fetch of entities has a variable of its own: a client's must not be
 * taken for it, nor taken away with it.
 */
export function variableKeyOf(name: string): string {
  return name === 'representations' || name.startsWith(PRIVATE_PREFIX) ? `${PRIVATE_PREFIX}${name}` : name;
}

/** The client's response name behind a key, as it stands in the path of an error. */
export function toResponseName(key: string | number): string | number {
  return typeof key === 'string' && key.startsWith(PRIVATE_PREFIX) ? key.slice(PRIVATE_PREFIX.length) : key;
}

/** The declared type of a field, those of introspection included; undefined where the type has no such field. */
export function fieldType(
  schema: GraphQLSchema,
  parent: GraphQLNamedType,
  field: string,
): GraphQLOutputType | undefined {
  if (field === '__typename') return TypeNameMetaFieldDef.type;
  if (parent === schema.getQueryType() && field === '__schema') return SchemaMetaFieldDef.type;
  if (parent === schema.getQueryType() && field === '__type') return TypeMetaFieldDef.type;
  return isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[field]?.type : undefined;
}
