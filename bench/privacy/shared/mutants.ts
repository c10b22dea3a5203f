/**
 * Mutants of the gateway: copies in which one component of one key is dropped. They are found in the syntax, so that a component
 * that somebody adds to a key gets a mutant by itself, and a key that has moved stops the bench.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';

const ROOT = join(import.meta.dirname, '../../..');

export interface Mutant {
  /** Such as `entity cache without variables`. */
  readonly name: string;
  readonly file: string;
  readonly text: string;
}

interface KeyPlace {
  readonly key: string;
  readonly file: string;
  /** The expressions that the key is made of. */
  readonly find: (node: ts.Node) => readonly ts.Node[] | null;
  /** What stands in place of one that is dropped. */
  readonly instead: string;
}

const isCallOf = (node: ts.Node, name: string): node is ts.CallExpression =>
  ts.isCallExpression(node) &&
  (ts.isPropertyAccessExpression(node.expression)
    ? node.expression.name.text === name
    : node.expression.getText() === name);

const elementsOf = (node: ts.Node | undefined) =>
  node && ts.isArrayLiteralExpression(node) ? [...node.elements] : null;

/** The expressions in the templates below some nodes. */
const spansIn = (nodes: readonly ts.Node[] = []): readonly ts.Node[] =>
  nodes.flatMap((node) =>
    ts.isTemplateExpression(node)
      ? node.templateSpans.map(({ expression }) => expression)
      : spansIn(node.getChildren()),
  );

const PLACES: readonly KeyPlace[] = [
  {
    key: 'entity cache',
    file: 'gateway/execution/entities-fetch.ts',
    find: (node) => (isCallOf(node, 'digest') ? elementsOf(node.arguments[0]) : null),
    instead: '0',
  },
  {
    key: 'entity cache',
    file: 'gateway/execution/entity-cache.ts',
    find: (node) =>
      ts.isFunctionDeclaration(node) && node.name?.text === 'toKey'
        ? spansIn(node.body?.getChildren())
        : null,
    instead: "''",
  },
  {
    key: 'single flight',
    file: 'gateway/execution/entities-fetch.ts',
    find: (node) =>
      ts.isPropertyAssignment(node) && node.name.getText() === 'asker' ? [node.initializer] : null,
    instead: "''",
  },
  {
    key: 'prepared operation',
    file: 'gateway/operations/prepare.ts',
    find: (node) => (isCallOf(node, 'stringify') ? elementsOf(node.arguments[0]) : null),
    instead: '0',
  },
  {
    key: 'rights',
    file: 'gateway/authorization/rights.ts',
    find: (node) =>
      ts.isVariableDeclaration(node) &&
      node.name.getText() === 'key' &&
      node.initializer &&
      ts.isTemplateExpression(node.initializer)
        ? node.initializer.templateSpans.map(({ expression }) => expression)
        : null,
    instead: "''",
  },
  {
    key: 'cut of a fetch',
    file: 'gateway/execution/fetch-operation.ts',
    find: (node) =>
      ts.isVariableDeclaration(node) &&
      node.name.getText() === 'key' &&
      node.initializer?.getText().includes('denied')
        ? [node.initializer]
        : null,
    instead: "''",
  },
];

/**
 * Not told apart by any answer.
 *
 * Whether somebody may introspect follows from its kind, which the key holds as well: without it every key is as different
 * as with it, and no question can tell.
 */
const EQUIVALENT = [
  'prepared operation without mayIntrospect',
  // Who waits for whose preparation is a matter of fairness: the operation that is prepared is the same.
  'prepared operation without request.consumer',
];

export function findMutants(): readonly Mutant[] {
  return PLACES.flatMap((place) => {
    const text = readFileSync(join(ROOT, place.file), 'utf8');
    const found: ts.Node[] = [];
    const visit = (node: ts.Node): void => {
      found.push(...(place.find(node) ?? []));
      ts.forEachChild(node, visit);
    };
    visit(ts.createSourceFile(place.file, text, ts.ScriptTarget.ES2023, true));
    if (found.length === 0)
      throw new Error(
        `${place.file} makes no key of the ${place.key} any more: bench/privacy/shared/mutants.ts`,
      );
    return found
      .map((node) => ({
        name: `${place.key} without ${node.getText().replace(/\s+/g, ' ')}`,
        file: place.file,
        text: text.slice(0, node.getStart()) + place.instead + text.slice(node.getEnd()),
      }))
      .filter(({ name }) => !EQUIVALENT.includes(name));
  });
}

/** A copy of the gateway with the mutant in it; `remove` when it has been tried. */
export function placeMutant({ file, text }: Mutant): { readonly root: string; remove(): void } {
  const root = mkdtempSync(join(tmpdir(), 'jinxin-mutant-'));
  cpSync(join(ROOT, 'gateway'), join(root, 'gateway'), {
    recursive: true,
    filter: (from) => !from.endsWith('.test.ts'),
  });
  // What knows nothing of the gateway is this house's own.
  for (const room of ['schema', 'adapters', 'node_modules']) symlinkSync(join(ROOT, room), join(root, room));
  writeFileSync(join(root, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(root, file), text);
  return { root, remove: () => rmSync(root, { recursive: true, force: true }) };
}
