/** Where an execution failed: a null there is unknown, a null elsewhere is an answer. */
type Path = readonly (string | number)[];

export interface Failures {
  /** True at an error, below it, and above it: the null of a type that does not allow one moves up. */
  at(path: Path): boolean;
}

export function createFailures(errors: readonly { readonly path?: Path | undefined }[]): Failures {
  const at = new Set<string>();
  const above = new Set<string>();
  for (const { path = [] } of errors) {
    at.add(toKey(path));
    path.forEach((_, length) => above.add(toKey(path.slice(0, length))));
  }
  return {
    at: (path) =>
      above.has(toKey(path)) ||
      (at.size > 0 &&
        Array.from({ length: path.length + 1 }, (_, end) => end).some((end) =>
          at.has(toKey(path.slice(0, end))),
        )),
  };
}

const toKey = (path: Path) => path.join('\0');
