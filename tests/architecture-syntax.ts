/** Files of the house as the rules look at them. */
import ts from 'typescript';

export interface HouseFile {
  /** From the root, with `/`. */
  readonly path: string;
  readonly text: string;
}

/** A file of TypeScript. */
export interface Module extends HouseFile {
  readonly syntax: ts.SourceFile;
  readonly isTest: boolean;
}

export function toModule({ path, text }: HouseFile): Module {
  const syntax = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  return { path, text, syntax, isTest: path.endsWith('.test.ts') };
}

/** `root` and every node below it, in the order of the text. */
export function* nodesOf(root: ts.Node): Generator<ts.Node> {
  yield root;
  const children: ts.Node[] = [];
  ts.forEachChild(root, (child) => void children.push(child));
  for (const child of children) yield* nodesOf(child);
}
