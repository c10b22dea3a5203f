/**
 * Steps → requests. Fetches of entities that visit one subgraph on one level travel together, as several `_entities` of one
 * request: a department is asked once where the planner's plan asks it several times.
 *
 * A fetch for which nobody waits may go later, together with a fetch that visits its subgraph anyway. How long a fetch may
 * wait for the others of its request is decided while it runs (schedule.ts): departments differ in speed by a factor of a
 * thousand, and none is made to wait for one that it does not need.
 */
import type { Step } from './steps.ts';

/** Steps of one request, in their order. Root fields travel alone: mutations keep their order. */
export type Batch = readonly Step[];

export function toBatches(steps: readonly Step[]): readonly Batch[] {
  const isAwaited = new Set(steps.flatMap(({ after }) => [...after]));
  const visited = new Map<string, Set<number>>();
  for (const { index, subgraph, requires, level } of steps)
    if (requires && isAwaited.has(index)) entryOf(visited, subgraph, () => new Set<number>()).add(level);
  const last = new Map<string, number>();
  for (const { subgraph, requires, level } of steps)
    if (requires) last.set(subgraph, Math.max(level, last.get(subgraph) ?? 0));

  const batches = new Map<string, Step[]>();
  for (const step of steps) {
    const key = step.requires === null ? `root ${step.index}` : `${levelOf(step)} ${step.subgraph}`;
    entryOf(batches, key, () => []).push(step);
  }
  return [...batches.values()];

  /** Its own, if its subgraph is visited there anyway; else, for a leaf, the next on which it is. */
  function levelOf({ index, subgraph, level }: Step): number {
    if (isAwaited.has(index)) return level;
    const awaited = [...(visited.get(subgraph) ?? [])].filter((one) => one >= level);
    return awaited.length > 0 ? Math.min(...awaited) : (last.get(subgraph) ?? level);
  }
}

function entryOf<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
