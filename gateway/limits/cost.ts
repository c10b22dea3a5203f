/**
 * What an operation costs at most, by @cost and @listSize of the supergraph (IBM's cost specification, as Federation 2.9 has
 * it): every object 1, every leaf 0, a mutation 10 on top, unless @cost says otherwise; a list as many times as @listSize or
 * its arguments say. Known without asking anybody, so that what would keep departments or this process busy is refused first.
 */
import type {
  FieldNode,
  FragmentDefinitionNode,
  GraphQLArgument,
  GraphQLField,
  GraphQLNamedType,
  GraphQLSchema,
  OperationDefinitionNode,
  SelectionSetNode,
  ValueNode,
} from 'graphql';
import {
  getNamedType,
  isAbstractType,
  isCompositeType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
} from 'graphql';
import type { Amount } from './amount.ts';
import { atLeast, plus, times } from './amount.ts';
import type { CostRules, ListRule } from './cost-rules.ts';

/** Entries of a list of which neither a directive nor an argument tells how long it may be. */
const ASSUMED_LIST = 10;
const MUTATION = 10;

export type CostModel = (
  operation: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
) => Amount;

/** A size that a field gives to lists below it (`sizedFields`). */
interface Sized {
  readonly fields: readonly string[];
  readonly size: Amount;
}

/** `schema` is the whole supergraph's; operations must be valid. Linear in the operation: a fragment is counted once. */
export function createCostModel(schema: GraphQLSchema, rules: CostRules): CostModel {
  return createModel(schema, rules, 0);
}

/**
 * How many values an answer may hold, leaves and all: what this process has to merge, shape, sign and send without a pause.
 * A leaf is free in the cost, since it costs no department anything.
 */
export function createValueModel(schema: GraphQLSchema, { lists }: CostRules): CostModel {
  return createModel(schema, { lists, weights: new Map(), weightOfArgument: () => 0 }, 1);
}

function createModel(schema: GraphQLSchema, rules: CostRules, leaf: number): CostModel {
  return (operation, fragments) => {
    const ofFragments = new Map<string, Amount>();
    const root = schema.getRootType(operation.operation);
    if (!root) return 0;
    return plus(
      operation.operation === 'mutation' && leaf === 0 ? MUTATION : 0,
      costOfSet(operation.selectionSet, root, null),
    );

    function costOfSet(set: SelectionSetNode, parent: GraphQLNamedType, sized: Sized | null): Amount {
      let cost: Amount = 0;
      for (const selection of set.selections) {
        if (selection.kind === Kind.FIELD) cost = plus(cost, costOfField(selection, parent, sized));
        else if (selection.kind === Kind.FRAGMENT_SPREAD)
          cost = plus(cost, costOfFragment(selection.name.value, sized));
        else {
          const condition = selection.typeCondition?.name.value;
          const type = condition === undefined ? parent : (schema.getType(condition) ?? parent);
          cost = plus(cost, costOfSet(selection.selectionSet, type, sized));
        }
      }
      return cost;
    }

    function costOfFragment(name: string, sized: Sized | null): Amount {
      const known = sized ? undefined : ofFragments.get(name);
      if (known !== undefined) return known;
      const fragment = fragments.get(name);
      const type = fragment && schema.getType(fragment.typeCondition.name.value);
      const cost = fragment && type ? costOfSet(fragment.selectionSet, type, sized) : 0;
      if (!sized) ofFragments.set(name, cost);
      return cost;
    }

    function costOfField(node: FieldNode, parent: GraphQLNamedType, sized: Sized | null): Amount {
      const name = node.name.value;
      const field = isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[name] : undefined;
      if (!field) return 0;
      const list = rules.lists.get(`${parent.name}.${name}`);
      const own = isList(field) ? sizeOf(node, field, list) : 1;
      const size = isList(field) && sized?.fields.includes(name) ? sized.size : own;
      const below: Sized | null = list?.sizedFields.length
        ? { fields: list.sizedFields, size: sizeOf(node, field, list) }
        : null;
      const type = getNamedType(field.type);
      const inner = node.selectionSet ? costOfSet(node.selectionSet, type, below) : 0;
      return plus(argumentsOf(node, field), times(size, plus(weightOf(parent, name, type), inner)));
    }

    function argumentsOf(node: FieldNode, field: GraphQLField<unknown, unknown>): Amount {
      return (node.arguments ?? []).reduce((cost: number, { name }) => {
        const argument = field.args.find((one) => one.name === name.value);
        return cost + (argument ? rules.weightOfArgument(argument) : 0);
      }, 0);
    }
  };

  /** A field's own weight, the highest of all implementations', or else its type's. */
  function weightOf(parent: GraphQLNamedType, name: string, type: GraphQLNamedType): number {
    const owners = isInterfaceType(parent) ? [parent, ...schema.getPossibleTypes(parent)] : [parent];
    const own = owners.flatMap((owner) => rules.weights.get(`${owner.name}.${name}`) ?? []);
    if (own.length > 0) return Math.max(...own);
    const possible = isAbstractType(type) ? schema.getPossibleTypes(type) : [type];
    const standard = isCompositeType(type) ? 1 : leaf;
    return Math.max(0, ...possible.map((one) => rules.weights.get(one.name) ?? standard));
  }
}

function isList({ type }: GraphQLField<unknown, unknown>): boolean {
  return isListType(isNonNullType(type) ? type.ofType : type);
}

/** The largest of what the slicing arguments say; else what is assumed; else the longest list among the arguments. */
function sizeOf(node: FieldNode, field: GraphQLField<unknown, unknown>, rule: ListRule | undefined): Amount {
  const slicing = (rule?.slicingArguments ?? []).flatMap((name) => {
    const argument = field.args.find((one) => one.name === name);
    return argument ? (numberOf(valueOf(node, argument), argument) ?? []) : [];
  });
  if (slicing.length > 0) return slicing.reduce(atLeast);
  if (rule?.assumedSize !== undefined) return rule.assumedSize;
  const lists = field.args.flatMap((argument) => {
    const isOfList = isListType(isNonNullType(argument.type) ? argument.type.ofType : argument.type);
    return isOfList ? (lengthOf(valueOf(node, argument)) ?? []) : [];
  });
  return lists.length > 0 ? lists.reduce(atLeast) : ASSUMED_LIST;
}

function valueOf(node: FieldNode, { name }: GraphQLArgument): ValueNode | undefined {
  return node.arguments?.find((argument) => argument.name.value === name)?.value;
}

/** Never less than nothing: a negative number is for the department to refuse, not a discount. */
function numberOf(value: ValueNode | undefined, argument: GraphQLArgument): Amount | null {
  const standard = typeof argument.defaultValue === 'number' ? Math.max(0, argument.defaultValue) : null;
  if (value?.kind === Kind.INT) return Math.max(0, Number(value.value));
  if (value?.kind !== Kind.VARIABLE) return standard;
  return (variables) => {
    const given = own(variables, value.name.value);
    return typeof given === 'number' ? Math.max(0, given) : (standard ?? ASSUMED_LIST);
  };
}

function lengthOf(value: ValueNode | undefined): Amount | null {
  if (value === undefined) return null;
  if (value.kind === Kind.LIST) return value.values.length;
  if (value.kind !== Kind.VARIABLE) return 1;
  return (variables) => {
    const given = own(variables, value.name.value);
    return Array.isArray(given) ? given.length : 1;
  };
}

function own(variables: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(variables, name) ? variables[name] : undefined;
}
