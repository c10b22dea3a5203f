/** Where the entities of a fetch stand in what was fetched so far. */
import type { Data } from './own.ts';
import { isData, reader } from './own.ts';
import { conditionOf } from './type-conditions.ts';

type Path = readonly (string | number)[];

export interface Places {
  /** Every object at the path, each once although several paths may lead to it. */
  collect(root: Data): ReadonlySet<Data>;
  /** The paths that lead to `target`, at most `most`. Slow: for the paths of errors. */
  pathsTo(root: Data, target: Data, most: number): readonly Path[];
}

type Move = ((source: Data) => unknown) | '@';

/** `path`: names of fields, and `@` for every entry of a list. A path may end at a null anywhere. */
export function createPlaces(path: readonly string[]): Places {
  const steps = path.filter((element) => conditionOf(element) === null);
  const moves: readonly Move[] = steps.map((step) => (step === '@' ? '@' : reader(step)));

  function walk(value: unknown, at: number, found: Set<Data>): void {
    if (Array.isArray(value)) {
      // A list of lists has one `@` for each; a value after the last may still be a list.
      const next = moves[at] === '@' ? at + 1 : at;
      for (const entry of value) walk(entry, next, found);
      return;
    }
    if (typeof value !== 'object' || value === null) return;
    const move = moves[at];
    if (move === undefined) found.add(value as Data);
    else if (move !== '@') walk(move(value as Data), at + 1, found);
  }

  return {
    collect(root) {
      const found = new Set<Data>();
      walk(root, 0, found);
      return found;
    },
    pathsTo(root, target, most) {
      const paths: Path[] = [];
      trace(root, 0, []);
      return paths;

      function trace(value: unknown, at: number, path: Path): void {
        if (paths.length >= most) return;
        if (Array.isArray(value)) {
          const next = moves[at] === '@' ? at + 1 : at;
          value.forEach((entry, index) => trace(entry, next, [...path, index]));
          return;
        }
        if (!isData(value)) return;
        const move = moves[at];
        if (move === undefined) {
          if (value === target) paths.push(path);
        } else if (move !== '@') {
          trace(move(value), at + 1, [...path, steps[at] ?? '']);
        }
      }
    },
  };
}
