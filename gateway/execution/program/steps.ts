/**
 * A plan of @apollo/query-planner → its fetches as a list of steps, each with what it waits for. The tree of Sequence and
 * Parallel nodes says only that; a list can be grouped into requests and run by counting.
 */
import type {
  FetchDataRewrite,
  FetchNode,
  PlanNode,
  QueryPlan,
  QueryPlanSelectionNode,
} from '@apollo/query-planner';

export interface Step {
  readonly index: number;
  readonly subgraph: string;
  /** The fetch as the planner wrote it. */
  readonly query: string;
  /** Names of the operation's variables that it uses. */
  readonly variables: readonly string[];
  /** Where its entities stand in the answer, `@` for every entry of a list; empty for root fields. */
  readonly path: readonly string[];
  /** What a representation holds; null for root fields. */
  readonly requires: readonly QueryPlanSelectionNode[] | null;
  readonly inputRewrites: readonly FetchDataRewrite[];
  readonly outputRewrites: readonly FetchDataRewrite[];
  /** Steps that must have ended, by index. */
  readonly after: ReadonlySet<number>;
  /** 0 for a step that waits for none; else one more than the highest that it waits for. */
  readonly level: number;
}

/**
 * Throws for kinds of nodes that this executor does not run: a plan is run as a whole or not at all. There are no conditions
 * in it, because operations are planned without them (operations/conditions.ts).
 */
export function readSteps(plan: QueryPlan): readonly Step[] {
  const steps: Step[] = [];
  if (plan.node) read(plan.node, { after: new Set(), path: [] });
  return steps;

  function read(node: PlanNode | NonNullable<QueryPlan['node']>, place: Place): ReadonlySet<number> {
    switch (node.kind) {
      case 'Fetch':
        return new Set([addStep(node, place)]);
      case 'Flatten':
        return read(node.node, { ...place, path: [...place.path, ...node.path.map(String)] });
      case 'Parallel':
        return union(node.nodes.map((child) => read(child, place)));
      case 'Sequence': {
        let done: ReadonlySet<number> = new Set();
        for (const child of node.nodes)
          done = union([done, read(child, { ...place, after: union([place.after, done]) })]);
        return done;
      }
      default:
        throw new Error(`a plan with a ${node.kind} node was to be run`);
    }
  }

  function addStep(node: FetchNode, { after, path }: Place): number {
    if (node.contextRewrites?.length) throw new Error('a plan with @context was to be run');
    const index = steps.length;
    const level = Math.max(-1, ...[...after].map((one) => steps[one]?.level ?? 0)) + 1;
    steps.push({
      index,
      subgraph: node.serviceName,
      query: node.operation,
      variables: node.variableUsages ?? [],
      path,
      requires: node.requires ?? null,
      inputRewrites: node.inputRewrites ?? [],
      outputRewrites: node.outputRewrites ?? [],
      after,
      level,
    });
    return index;
  }
}

interface Place {
  readonly after: ReadonlySet<number>;
  readonly path: readonly string[];
}

function union(sets: readonly ReadonlySet<number>[]): ReadonlySet<number> {
  return new Set(sets.flatMap((set) => [...set]));
}
