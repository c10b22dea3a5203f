/**
 * Several fetches of entities of one subgraph → one request, by aliases of `_entities`. Aliases and variables bear private
 * names: a client's variable can never be one of them (keys.ts).
 */
import type { CutOperation } from './fetch-operation.ts';
import { entitiesAlias, representationsVariable } from '../../schema/joint-fetch.ts';

export interface JointQuery {
  readonly query: string;
  /** For each fetch the key of its entities in the answer, and the variable of its representations. */
  readonly parts: readonly { readonly key: string; readonly variable: string }[];
}

const KEY = '_entities';
const VARIABLE = 'representations';

/** Null where they cannot be asked together. One fetch stays as the planner wrote it. */
export function toJointQuery(cuts: readonly CutOperation[]): JointQuery | null {
  const [only] = cuts;
  if (cuts.length === 1 && only?.query)
    return { query: only.query, parts: [{ key: KEY, variable: VARIABLE }] };
  const variables = new Map<string, string>();
  const fields: string[] = [];
  const parts = cuts.map((_, at) => ({ key: entitiesAlias(at), variable: representationsVariable(at) }));
  for (const [at, { joinable }] of cuts.entries()) {
    const part = parts[at];
    if (!joinable || !part) return null;
    for (const [name, definition] of joinable.variables) variables.set(name, definition);
    variables.set(part.variable, `$${part.variable}:[_Any!]!`);
    fields.push(`${part.key}:${KEY}(representations:$${part.variable})${joinable.selection}`);
  }
  return { query: `query(${[...variables.values()].join(' ')}){${fields.join(' ')}}`, parts };
}

/** Remembers the query of fetches that were asked together before. */
export function createJointQueries(): (cuts: readonly CutOperation[]) => JointQuery | null {
  interface Node {
    readonly next: WeakMap<CutOperation, Node>;
    joint?: JointQuery | null;
  }
  const root: Node = { next: new WeakMap() };
  return (cuts) => {
    let node = root;
    for (const cut of cuts) {
      let next = node.next.get(cut);
      if (!next) node.next.set(cut, (next = { next: new WeakMap() }));
      node = next;
    }
    return (node.joint ??= toJointQuery(cuts));
  };
}
