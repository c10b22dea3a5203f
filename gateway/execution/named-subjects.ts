/**
 * Whom an operation names: every subject's id and every company's code among its arguments. A record of the audit log is of
 * those too: what is denied before anybody was asked, or changed by a mutation, is of somebody although no department was
 * asked about them.
 */
import type {
  FieldNode,
  FragmentDefinitionNode,
  GraphQLField,
  GraphQLInputType,
  GraphQLSchema,
  OperationDefinitionNode,
} from 'graphql';
import {
  getArgumentValues,
  getNamedType,
  getNullableType,
  isInputObjectType,
  isListType,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { toOrganisationId } from '../../schema/subject-id.ts';

/** SubjectIds that an operation names, each once. `variables` are coerced. */
export type NamedSubjects = (
  operation: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  variables: Readonly<Record<string, unknown>>,
) => ReadonlySet<string>;

interface NamingField {
  readonly node: FieldNode;
  readonly definition: GraphQLField<unknown, unknown>;
}

export function createNamedSubjects(schema: GraphQLSchema): NamedSubjects {
  // Operations are kept by whoever prepares them; which of their fields can name somebody is found once for each.
  const known = new WeakMap<OperationDefinitionNode, readonly NamingField[]>();

  return (operation, fragments, variables) => {
    const fields = known.get(operation) ?? findNamingFields(schema, operation, fragments);
    known.set(operation, fields);
    const named = new Set<string>();
    for (const { node, definition } of fields) {
      const values = getArgumentValues(definition, node, variables);
      for (const { name, type } of definition.args) collect(type, values[name], named);
    }
    return named;
  };
}

function findNamingFields(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): readonly NamingField[] {
  const fields: NamingField[] = [];
  const types = new TypeInfo(schema);
  // A document may hold fragments that this operation does not use.
  const used = new Set<string>();
  const pending: (OperationDefinitionNode | FragmentDefinitionNode)[] = [operation];
  const visitor = visitWithTypeInfo(types, {
    Field(node) {
      const definition = types.getFieldDef();
      if (definition && node.arguments?.length && definition.args.some(({ type }) => canName(type)))
        fields.push({ node, definition });
    },
    FragmentSpread({ name }) {
      const fragment = fragments.get(name.value);
      if (!fragment || used.has(name.value)) return;
      used.add(name.value);
      pending.push(fragment);
    },
  });
  for (let node = pending.pop(); node; node = pending.pop()) visit(node, visitor);
  return fields;
}

function canName(declared: GraphQLInputType, within: ReadonlySet<unknown> = new Set()): boolean {
  const type = getNamedType(declared);
  if (!isInputObjectType(type)) return type.name === 'SubjectId' || type.name === 'CreditCode';
  if (within.has(type)) return false;
  return Object.values(type.getFields()).some((field) => canName(field.type, new Set([...within, type])));
}

/** The scalars of a value that stand for a subject. */
function collect(declared: GraphQLInputType, value: unknown, into: Set<string>): void {
  if (value === null || value === undefined) return;
  const type = getNullableType(declared);
  if (isListType(type)) {
    for (const one of Array.isArray(value) ? (value as unknown[]) : [value]) collect(type.ofType, one, into);
    return;
  }
  if (isInputObjectType(type)) {
    for (const [name, field] of Object.entries(type.getFields()))
      collect(field.type, (value as Readonly<Record<string, unknown>>)[name], into);
    return;
  }
  if (typeof value !== 'string') return;
  if (type.name === 'SubjectId') into.add(value);
  if (type.name === 'CreditCode') into.add(toOrganisationId(value));
}
