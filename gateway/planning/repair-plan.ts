/**
 * A plan over a supergraph whose requirements with arguments are fields of their own (argument-requirements.ts) → the plan
 * that is run: those fields under their real names, with their arguments, and no representation that would have to hold two
 * values of one field.
 */
import type { FetchNode, PlanNode, QueryPlan, QueryPlanSelectionNode } from '@apollo/query-planner';
import type {
  FieldNode,
  InlineFragmentNode,
  OperationDefinitionNode,
  SelectionNode,
  SelectionSetNode,
} from 'graphql';
import { Kind, parse, print, stripIgnoredCharacters, visit } from 'graphql';
import { usedVariables } from '../execution/used-variables.ts';
import type { ArgumentRequirements } from './argument-requirements.ts';

type Requirements = Pick<ArgumentRequirements, 'added' | 'requires'>;
/** Where a required value stands for the subgraph → where it stands in what was fetched; both as joined names. */
type Sources = ReadonlyMap<string, string>;

/** In the plan that is run a required field is read under its alias and sent under its name. */
export function repairPlan(plan: QueryPlan, requirements: Requirements): QueryPlan {
  const { added } = requirements;
  if (added.size === 0 || !plan.node || plan.node.kind === 'Subscription') return plan;
  return { ...plan, node: repair(plan.node) };

  function repair(node: PlanNode): PlanNode {
    switch (node.kind) {
      case 'Sequence':
      case 'Parallel':
        return { ...node, nodes: node.nodes.map(repair) };
      case 'Flatten':
        return { ...node, node: repair(node.node) };
      case 'Fetch': {
        const nodes = split(node, requirements).map(rename);
        return nodes.length === 1 && nodes[0] ? nodes[0] : { kind: 'Parallel', nodes };
      }
      default:
        return node;
    }
  }

  function rename(node: FetchNode): FetchNode {
    const operation = visit(parse(node.operation, { noLocation: true }), {
      Field(field): FieldNode | undefined {
        const behind = added.get(field.name.value);
        if (!behind) return undefined;
        return {
          ...fieldFrom(`${behind.field}${behind.arguments}`),
          alias: field.alias ?? field.name,
          ...inner(field),
        };
      },
    });
    return {
      ...node,
      operation: stripIgnoredCharacters(print(operation)),
      ...(node.requires ? { requires: node.requires.map(renameRequired) } : {}),
    };
  }

  function renameRequired(selection: QueryPlanSelectionNode): QueryPlanSelectionNode {
    const selections = selection.selections?.map(renameRequired);
    if (selection.kind === 'InlineFragment') return { ...selection, selections: selections ?? [] };
    const behind = added.get(selection.name);
    return {
      ...selection,
      ...(behind ? { name: behind.field, alias: selection.name } : {}),
      ...(selections ? { selections } : {}),
    };
  }
}

/** One fetch for each set of fields whose requirements can stand in one representation. */
function split(node: FetchNode, { added, requires }: Requirements): readonly FetchNode[] {
  const operation = parse(node.operation, { noLocation: true }).definitions[0] as OperationDefinitionNode;
  const [entities] = operation.selectionSet.selections;
  if (!node.requires || entities?.kind !== Kind.FIELD || !entities.selectionSet) return [node];
  const groups: { readonly sources: Map<string, string>; readonly selections: SelectionNode[] }[] = [];
  for (const { field, type, selection } of spread(entities.selectionSet)) {
    const required = requires.get(`${type}.${field.name.value} ${node.serviceName}`);
    const sources: Sources = required ? sourcesOf(required, added) : new Map<string, string>();
    let group = groups.find((one) => isCompatible(one.sources, sources));
    if (!group) groups.push((group = { sources: new Map(), selections: [] }));
    for (const [place, source] of sources) group.sources.set(place, source);
    group.selections.push(selection);
  }
  if (groups.length <= 1) return [node];
  return groups.map(({ sources, selections }) => {
    const others = groups.flatMap((other) => (other.sources === sources ? [] : [other.sources]));
    const selectionSet: SelectionSetNode = {
      kind: Kind.SELECTION_SET,
      selections: [{ ...entities, selectionSet: { kind: Kind.SELECTION_SET, selections } }],
    };
    const used = usedVariables(selectionSet);
    return {
      ...node,
      operation: print({
        ...operation,
        variableDefinitions: (operation.variableDefinitions ?? []).filter(({ variable }) =>
          used.has(variable.name.value),
        ),
        selectionSet,
      }),
      variableUsages: (node.variableUsages ?? []).filter((name) => used.has(name)),
      requires: keepRequired(node.requires ?? [], '', ''),
    };

    function keepRequired(
      from: readonly QueryPlanSelectionNode[],
      place: string,
      source: string,
    ): QueryPlanSelectionNode[] {
      return from.flatMap((selection): QueryPlanSelectionNode[] => {
        if (selection.kind === 'InlineFragment')
          return [{ ...selection, selections: keepRequired(selection.selections, place, source) }];
        const here = `${place}/${added.get(selection.name)?.field ?? selection.name}`;
        const there = `${source}/${selection.name}`;
        const own = sources.get(here);
        // Another group's; a key is nobody's, and everybody's.
        if (own === undefined ? others.some((other) => other.has(here)) : own !== there) return [];
        if (!selection.selections) return [selection];
        return [{ ...selection, selections: keepRequired(selection.selections, here, there) }];
      });
    }
  });
}

function isCompatible(known: Sources, sources: Sources): boolean {
  return [...sources].every(([place, source]) => (known.get(place) ?? source) === source);
}

function sourcesOf(set: SelectionSetNode, added: Requirements['added']): Sources {
  const sources = new Map<string, string>();
  walk(set, '', '');
  return sources;

  function walk({ selections }: SelectionSetNode, place: string, source: string): void {
    for (const selection of selections) {
      if (selection.kind === Kind.INLINE_FRAGMENT) walk(selection.selectionSet, place, source);
      if (selection.kind !== Kind.FIELD) continue;
      const name = selection.name.value;
      const here = `${place}/${added.get(name)?.field ?? name}`;
      sources.set(here, `${source}/${name}`);
      if (selection.selectionSet) walk(selection.selectionSet, here, `${source}/${name}`);
    }
  }
}

/** Fields of the entities, each with its type and with the conditions on types that it stands under. */
function spread(
  set: SelectionSetNode,
  type = '',
  under: (selection: SelectionNode) => SelectionNode = (selection) => selection,
): readonly { readonly field: FieldNode; readonly type: string; readonly selection: SelectionNode }[] {
  return set.selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return [{ field: selection, type, selection: under(selection) }];
    if (selection.kind !== Kind.INLINE_FRAGMENT) return [];
    return spread(selection.selectionSet, selection.typeCondition?.name.value ?? type, (inner) => {
      const fragment: InlineFragmentNode = {
        ...selection,
        selectionSet: { kind: Kind.SELECTION_SET, selections: [inner] },
      };
      return under(fragment);
    });
  });
}

function fieldFrom(text: string): FieldNode {
  const [operation] = parse(`{${text}}`, { noLocation: true }).definitions;
  const [field] = operation?.kind === Kind.OPERATION_DEFINITION ? operation.selectionSet.selections : [];
  if (field?.kind !== Kind.FIELD) throw new Error('a requirement is no field');
  return field;
}

const inner = ({ selectionSet }: FieldNode) => (selectionSet ? { selectionSet } : {});
