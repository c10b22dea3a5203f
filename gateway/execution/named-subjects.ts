/**
 * Whom an operation names: every subject's id and every company's code among its arguments. A record of the audit log is of
 * those too: what is denied before anybody was asked, or changed by a mutation, is of somebody although no department was
 * asked about them.
 */
import type {
  FieldNode,
  FragmentDefinitionNode,
  GraphQLInputType,
  GraphQLSchema,
  OperationDefinitionNode,
} from 'graphql';
import {
  getArgumentValues,
  getNullableType,
  isInputObjectType,
  isListType,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { toOrganisationId } from '../../schema/subject-id.ts';

/** SubjectIds, each once. `variables` are coerced. */
export function namedSubjects(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  variables: Readonly<Record<string, unknown>>,
): ReadonlySet<string> {
  const named = new Set<string>();
  const types = new TypeInfo(schema);
  const field = {
    Field(node: FieldNode) {
      const definition = types.getFieldDef();
      if (!definition || !node.arguments?.length) return;
      const values = getArgumentValues(definition, node, variables);
      for (const { name, type } of definition.args) collect(type, values[name], named);
    },
  };
  // A fragment is of the document, and a document may hold some that this operation does not use.
  const used = new Set<string>();
  const pending: (OperationDefinitionNode | FragmentDefinitionNode)[] = [operation];
  for (let node = pending.pop(); node; node = pending.pop())
    visit(
      node,
      visitWithTypeInfo(types, {
        ...field,
        FragmentSpread({ name }) {
          const fragment = fragments.get(name.value);
          if (!fragment || used.has(name.value)) return;
          used.add(name.value);
          pending.push(fragment);
        },
      }),
    );
  return named;
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
    for (const [name, { type: of }] of Object.entries(type.getFields()))
      collect(of, (value as Readonly<Record<string, unknown>>)[name], into);
    return;
  }
  if (typeof value !== 'string') return;
  if (type.name === 'SubjectId') into.add(value);
  if (type.name === 'CreditCode') into.add(toOrganisationId(value));
}
