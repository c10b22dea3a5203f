/**
 * A field that requires what other subgraphs know can only be asked of an entity, with a representation that holds it. On a
 * way back into the subgraph that a plan came from, the planner sometimes asks for such a field at once, where nothing of it
 * is known yet, and what depends on it is given a null without a word. Here it is taken out and asked for again, where its
 * requirement has been fetched (tests/federation/cases/requires-shapes.yaml).
 */
import type { FetchNode, PlanNode, QueryPlan, QueryPlanSelectionNode } from '@apollo/query-planner';
import type {
  FieldNode,
  GraphQLNamedType,
  GraphQLOutputType,
  GraphQLSchema,
  OperationDefinitionNode,
  SelectionNode,
  SelectionSetNode,
  VariableDefinitionNode,
} from 'graphql';
import {
  getNamedType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  parse,
  print,
} from 'graphql';
import { usedDefinitions } from '../execution/used-variables.ts';

export interface EntityFacts {
  /** Everything, what clients do not see included. */
  readonly schema: GraphQLSchema;
  /** "Type.field subgraph" → what the field requires there. */
  readonly requires: ReadonlyMap<string, SelectionSetNode>;
  /** "Type subgraph" → the first key by which the subgraph resolves the type. */
  readonly keys: ReadonlyMap<string, SelectionSetNode>;
}

/** A field that was asked for too early, and where. */
interface Early {
  readonly subgraph: string;
  readonly path: readonly string[];
  readonly type: string;
  readonly field: FieldNode;
  readonly required: SelectionSetNode;
  /** Of the variables that it uses. */
  readonly variables: readonly VariableDefinitionNode[];
}

export function postponeEarlyRequirements(plan: QueryPlan, facts: EntityFacts): QueryPlan {
  if (facts.requires.size === 0 || !plan.node || plan.node.kind === 'Subscription') return plan;
  const early: Early[] = [];
  const without = takeOut(plan.node, []);
  if (early.length === 0) return plan;
  return { ...plan, node: early.reduce((node, one) => putBack(node, one, facts), without) };

  function takeOut(node: PlanNode, path: readonly string[]): PlanNode {
    switch (node.kind) {
      case 'Sequence':
      case 'Parallel':
        return { ...node, nodes: node.nodes.map((child) => takeOut(child, path)) };
      case 'Flatten':
        return { ...node, node: takeOut(node.node, [...path, ...node.path.map(String)]) };
      case 'Fetch':
        return takeOutOfFetch(node, path);
      default:
        return node;
    }
  }

  function takeOutOfFetch(node: FetchNode, path: readonly string[]): FetchNode {
    const [operation] = parse(node.operation, { noLocation: true }).definitions as OperationDefinitionNode[];
    if (!operation) return node;
    const before = early.length;
    const root = facts.schema.getRootType(operation.operation) ?? null;
    const selectionSet = clean(operation.selectionSet, root, path, { node, operation }, false);
    return early.length === before ? node : { ...node, operation: print({ ...operation, selectionSet }) };
  }

  /** `isCovered`: the fields stand directly on the entities, whose representation holds what they require. */
  function clean(
    set: SelectionSetNode,
    parent: GraphQLNamedType | null,
    path: readonly string[],
    fetch: { readonly node: FetchNode; readonly operation: OperationDefinitionNode },
    isCovered: boolean,
  ): SelectionSetNode {
    const added: SelectionNode[] = [];
    const selections = set.selections.flatMap((selection): SelectionNode[] => {
      if (selection.kind === Kind.INLINE_FRAGMENT) {
        const type = selection.typeCondition
          ? facts.schema.getType(selection.typeCondition.name.value)
          : parent;
        return [
          { ...selection, selectionSet: clean(selection.selectionSet, type ?? null, path, fetch, isCovered) },
        ];
      }
      if (selection.kind !== Kind.FIELD) return [selection];
      const name = selection.name.value;
      const key = selection.alias?.value ?? name;
      if (name === '_entities' && selection.selectionSet)
        return [{ ...selection, selectionSet: clean(selection.selectionSet, null, path, fetch, true) }];
      const required = parent
        ? facts.requires.get(`${parent.name}.${name} ${fetch.node.serviceName}`)
        : undefined;
      const keys = parent ? facts.keys.get(`${parent.name} ${fetch.node.serviceName}`) : undefined;
      if (!isCovered && required && keys && parent) {
        early.push({
          subgraph: fetch.node.serviceName,
          path,
          type: parent.name,
          field: selection,
          required,
          variables: usedDefinitions(fetch.operation, selection),
        });
        added.push(TYPENAME, ...keys.selections);
        return [];
      }
      const type = fieldTypeOf(parent, name);
      if (!selection.selectionSet || !type) return [selection];
      const inner = [...path, key, ...Array.from({ length: depthOf(type) }, () => '@')];
      return [
        {
          ...selection,
          selectionSet: clean(selection.selectionSet, getNamedType(type), inner, fetch, false),
        },
      ];
    });
    return { ...set, selections: [...selections, ...added] };
  }
}

/** Before whoever requires it; else at the end, for a client who asked for it. */
function putBack(node: PlanNode, early: Early, { keys }: EntityFacts): PlanNode {
  const key = early.field.alias?.value ?? early.field.name.value;
  const again: PlanNode = { kind: 'Flatten', path: [...early.path], node: fetchOf(early, keys) };
  let isPut = false;
  const put = (from: PlanNode): PlanNode => {
    if (from.kind === 'Sequence' || from.kind === 'Parallel') return { ...from, nodes: from.nodes.map(put) };
    if (from.kind !== 'Flatten' || from.node.kind !== 'Fetch') return from;
    const isConsumer =
      from.path.join('\0') === early.path.join('\0') && mentions(from.node.requires ?? [], key);
    if (!isConsumer) return from;
    isPut = true;
    return { kind: 'Sequence', nodes: [again, from] };
  };
  const done = put(node);
  return isPut ? done : { kind: 'Sequence', nodes: [node, again] };
}

function fetchOf(
  { subgraph, type, field, required, variables }: Early,
  keys: EntityFacts['keys'],
): FetchNode {
  const own = keys.get(`${type} ${subgraph}`)?.selections ?? [];
  const selections = [TYPENAME, ...own, ...required.selections].map(toRequired);
  return {
    kind: 'Fetch',
    serviceName: subgraph,
    requires: [{ kind: 'InlineFragment', typeCondition: type, selections }],
    variableUsages: variables.map(({ variable }) => variable.name.value),
    operation: `query($representations:[_Any!]! ${variables.map(print).join(' ')}){_entities(representations:$representations){...on ${type}{${print(field)}}}}`,
    operationName: undefined,
    operationKind: 'query' as FetchNode['operationKind'],
  };
}

function toRequired(selection: SelectionNode): QueryPlanSelectionNode {
  if (selection.kind === Kind.FIELD)
    return {
      kind: 'Field',
      name: selection.name.value,
      ...(selection.selectionSet ? { selections: selection.selectionSet.selections.map(toRequired) } : {}),
    };
  if (selection.kind !== Kind.INLINE_FRAGMENT) throw new Error('a requirement spreads a fragment');
  return {
    kind: 'InlineFragment',
    ...(selection.typeCondition ? { typeCondition: selection.typeCondition.name.value } : {}),
    selections: selection.selectionSet.selections.map(toRequired),
  };
}

function mentions(selections: readonly QueryPlanSelectionNode[], key: string): boolean {
  return selections.some((selection) =>
    selection.kind === 'Field'
      ? (selection.alias ?? selection.name) === key
      : mentions(selection.selections, key),
  );
}

const TYPENAME: FieldNode = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } };

function fieldTypeOf(parent: GraphQLNamedType | null, name: string): GraphQLOutputType | undefined {
  return isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[name]?.type : undefined;
}

function depthOf(type: GraphQLOutputType): number {
  if (isNonNullType(type)) return depthOf(type.ofType);
  return isListType(type) ? 1 + depthOf(type.ofType) : 0;
}
