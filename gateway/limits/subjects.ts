/**
 * How many credit subjects an operation looks up: every value of a scalar that names one, in arguments, literals and
 * variables, over the expanded operation. An alias is a look-up: whoever tries a hundred numbers in one request has tried a
 * hundred.
 */
import type {
  FieldNode,
  FragmentDefinitionNode,
  GraphQLInputType,
  GraphQLNamedType,
  GraphQLSchema,
  OperationDefinitionNode,
  SelectionSetNode,
  ValueNode,
} from 'graphql';
import {
  getNamedType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  isScalarType,
  Kind,
} from 'graphql';
import type { Amount } from './amount.ts';
import { plus } from './amount.ts';
import { canHoldScalar, scalarsIn } from './argument-scalars.ts';

/** Scalars of the graph that name a subject. */
const SUBJECT_SCALARS = ['CreditCode', 'SubjectId', 'CitizenId'];

export type SubjectCounter = (
  operation: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
) => Amount;

/** Operations must be valid. Linear in the operation: a fragment is counted once. */
export function createSubjectCounter(schema: GraphQLSchema): SubjectCounter {
  const naming = new Map<string, boolean>();

  return (operation, fragments) => {
    const ofFragments = new Map<string, Amount>();
    const root = schema.getRootType(operation.operation);
    return root ? countSet(operation.selectionSet, root) : 0;

    function countSet(set: SelectionSetNode, parent: GraphQLNamedType): Amount {
      return set.selections.reduce((count: Amount, selection) => {
        if (selection.kind === Kind.FIELD) return plus(count, countField(selection, parent));
        if (selection.kind === Kind.FRAGMENT_SPREAD) return plus(count, countFragment(selection.name.value));
        const condition = selection.typeCondition?.name.value;
        const type = condition === undefined ? parent : (schema.getType(condition) ?? parent);
        return plus(count, countSet(selection.selectionSet, type));
      }, 0);
    }

    function countFragment(name: string): Amount {
      const known = ofFragments.get(name);
      if (known !== undefined) return known;
      const fragment = fragments.get(name);
      const type = fragment && schema.getType(fragment.typeCondition.name.value);
      const count = fragment && type ? countSet(fragment.selectionSet, type) : 0;
      ofFragments.set(name, count);
      return count;
    }

    function countField(node: FieldNode, parent: GraphQLNamedType): Amount {
      const fields = isObjectType(parent) || isInterfaceType(parent) ? parent.getFields() : {};
      const field = Object.hasOwn(fields, node.name.value) ? fields[node.name.value] : undefined;
      if (!field) return 0;
      const own = (node.arguments ?? []).reduce((count: Amount, { name, value }) => {
        const argument = field.args.find((one) => one.name === name.value);
        return argument ? plus(count, countLiteral(value, argument.type)) : count;
      }, 0);
      return node.selectionSet ? plus(own, countSet(node.selectionSet, getNamedType(field.type))) : own;
    }
  };

  function countLiteral(value: ValueNode, type: GraphQLInputType): Amount {
    if (!namesSubjects(type) || value.kind === Kind.NULL) return 0;
    if (value.kind === Kind.VARIABLE) {
      // One value that has to be there is one, whichever it is.
      if (isNonNullType(type) && isScalarType(type.ofType)) return 1;
      const name = value.name.value;
      return (variables) =>
        Object.hasOwn(variables, name) ? scalarsIn(type, variables[name], SUBJECT_SCALARS).length : 0;
    }
    const inner = isNonNullType(type) ? type.ofType : type;
    if (value.kind === Kind.LIST) {
      const entry = isListType(inner) ? inner.ofType : inner;
      return value.values.reduce((count: Amount, one) => plus(count, countLiteral(one, entry)), 0);
    }
    if (value.kind !== Kind.OBJECT) return 1;
    const named = getNamedType(inner);
    if (!isInputObjectType(named)) return 0;
    return value.fields.reduce((count: Amount, { name, value: given }) => {
      const field = named.getFields()[name.value];
      return field ? plus(count, countLiteral(given, field.type)) : count;
    }, 0);
  }

  function namesSubjects(type: GraphQLInputType): boolean {
    const { name } = getNamedType(type);
    const known = naming.get(name);
    if (known !== undefined) return known;
    const isNaming = canHoldScalar(type, SUBJECT_SCALARS);
    naming.set(name, isNaming);
    return isNaming;
  }
}
