/** The rules for tests: none is left out, and none asserts nothing. */
import ts from 'typescript';
import type { Module } from './architecture-syntax.ts';
import { nodesOf } from './architecture-syntax.ts';

const LEFT_OUT = ['skip', 'only', 'todo', 'failing'];
const LEFT_OUT_CALLS = ['xit', 'xtest', 'xdescribe', 'fit', 'fdescribe'];

export function findTestBreaches(module: Module): readonly string[] {
  // Suites that several tests share are no .test.ts, but import the same.
  if (!module.text.includes("from '@jest/globals'")) return [];
  return [...nodesOf(module.syntax)].flatMap((node) => [
    ...findLeftOut(module, node),
    ...findEmpty(module, node),
  ]);
}

function findLeftOut({ path }: Module, node: ts.Node): readonly string[] {
  const breach = (name: string) => [`${path} says ${name}: no test is left out, put off or run alone.`];
  if (ts.isPropertyAccessExpression(node) && LEFT_OUT.includes(node.name.text)) {
    const root = rootOf(node);
    return ['it', 'test', 'describe'].includes(root) ? breach(`${root}.${node.name.text}`) : [];
  }
  const isCall = ts.isCallExpression(node) && ts.isIdentifier(node.expression);
  return isCall && LEFT_OUT_CALLS.includes(rootOf(node)) ? breach(rootOf(node)) : [];
}

function findEmpty({ path, syntax }: Module, node: ts.Node): readonly string[] {
  if (!ts.isCallExpression(node) || !['it', 'test'].includes(rootOf(node))) return [];
  const [name, body] = node.arguments;
  // `it.each(table)` alone is the first half of `it.each(table)(name, body)`.
  if (!name || !body) return [];
  return asserts(body, syntax, new Set())
    ? []
    : [`${path}: the test ${name.getText(syntax)} asserts nothing.`];
}

/** The leftmost name of `it.each(…)(…)`. */
function rootOf(node: ts.Node): string {
  if (ts.isIdentifier(node)) return node.text;
  if (ts.isPropertyAccessExpression(node) || ts.isCallExpression(node)) return rootOf(node.expression);
  return ts.isTaggedTemplateExpression(node) ? rootOf(node.tag) : '';
}

/** True when it calls `expect`, or a function of the same file that does, or something that is called expect… or assert…. */
function asserts(node: ts.Node, syntax: ts.SourceFile, seen: Set<string>): boolean {
  const calls = (name: string): boolean => {
    if (/^(expect|assert)/.test(name)) return true;
    if (seen.has(name)) return false;
    seen.add(name);
    return definitionsOf(name, syntax).some((definition) => asserts(definition, syntax, seen));
  };
  if (ts.isIdentifier(node)) return calls(node.text);
  return [...nodesOf(node)].some((inner) => {
    if (!ts.isCallExpression(inner)) return false;
    const { expression } = inner;
    if (ts.isIdentifier(expression)) return calls(expression.text);
    if (!ts.isPropertyAccessExpression(expression)) return false;
    // A property of fast-check asserts what it returns; what it only calls is found by itself.
    if (rootOf(expression) === 'fc') return expression.name.text === 'assert' && returnsSomething(inner);
    return /^(expect|assert)/.test(expression.name.text);
  });
}

function returnsSomething(node: ts.Node): boolean {
  return [...nodesOf(node)].some(
    (inner) =>
      (ts.isReturnStatement(inner) && inner.expression !== undefined) ||
      // An arrow that is the whole property, not one that makes its input: those are given to map, filter, chain.
      (ts.isArrowFunction(inner) && !ts.isBlock(inner.body) && isProperty(inner.parent)),
  );
}

function isProperty(node: ts.Node): boolean {
  return (
    ts.isCallExpression(node) &&
    ts.isPropertyAccessExpression(node.expression) &&
    ['property', 'asyncProperty'].includes(node.expression.name.text)
  );
}

function definitionsOf(name: string, syntax: ts.SourceFile): readonly ts.Node[] {
  return [...nodesOf(syntax)].filter(
    (node) =>
      (ts.isFunctionDeclaration(node) && node.name?.text === name) ||
      (ts.isFunctionLike(node) &&
        ts.isVariableDeclaration(node.parent) &&
        ts.isIdentifier(node.parent.name) &&
        node.parent.name.text === name),
  );
}
