/** Objects in what was fetched so far → what is asked of a department together: each entity once, wherever it stands. */
import type { Data } from './own.ts';
import type { PreparedStep } from './parts.ts';

/** Entities of one kind. */
export interface Part {
  /** Any of its steps: they differ in nothing but their place. */
  readonly leader: PreparedStep;
  /** Representations, each once. */
  readonly texts: string[];
  /** For each step and representation the objects that it represents there. */
  readonly places: {
    readonly prepared: PreparedStep;
    readonly targets: (Data[] | undefined)[];
  }[];
}

export function gather(together: readonly PreparedStep[], data: Data): readonly Part[] {
  const parts = new Map<string, Part & { readonly positions: Map<unknown, Map<unknown, number>> }>();
  for (const prepared of together) {
    const { places, represent, kind } = prepared;
    if (!represent) throw new Error('root fields were to be fetched as entities');
    let part = parts.get(kind);
    if (!part) parts.set(kind, (part = { leader: prepared, texts: [], places: [], positions: new Map() }));
    const targets: (Data[] | undefined)[] = [];
    part.places.push({ prepared, targets });
    for (const target of places.collect(data)) {
      // Steps of one kind share their leader's: its keys are theirs.
      const represented = part.leader.represent?.(target);
      if (!represented) continue;
      const key = represented.keyOf(target);
      if (key === undefined) continue;
      let positions = part.positions.get(represented);
      if (!positions) part.positions.set(represented, (positions = new Map<unknown, number>()));
      let position = positions.get(key);
      if (position === undefined) {
        position = part.texts.push(represented.textOf(key, target)) - 1;
        positions.set(key, position);
      }
      const known = targets[position];
      if (known) known.push(target);
      else targets[position] = [target];
    }
  }
  return [...parts.values()].filter(({ texts }) => texts.length > 0);
}
