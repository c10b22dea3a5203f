/**
 * Whom an operation names: every subject's id and every company's code among its arguments. A record of the audit log is of
 * those too: what is denied before anybody was asked, or changed by a mutation, is of somebody although no department was
 * asked about them.
 */
import type {
  FieldNode,
  FragmentDefinitionNode,
  GraphQLField,
  GraphQLSchema,
  OperationDefinitionNode,
} from 'graphql';
import { getArgumentValues, TypeInfo, visit, visitWithTypeInfo } from 'graphql';
import { toOrganisationId } from '../../schema/subject-id.ts';
import { canHoldScalar, scalarsIn } from '../limits/argument-scalars.ts';

/** An ID number is none of them: no record may hold one. */
const NAMING = ['SubjectId', 'CreditCode'];

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
      for (const { name, type } of definition.args)
        for (const { scalar, value } of scalarsIn(type, values[name], NAMING))
          if (typeof value === 'string') named.add(scalar === 'CreditCode' ? toOrganisationId(value) : value);
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
      if (
        definition &&
        node.arguments?.length &&
        definition.args.some(({ type }) => canHoldScalar(type, NAMING))
      )
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
