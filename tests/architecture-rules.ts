/** The rules of the house (AGENTS.md), as a pure function over its files. Each breach is one sentence that names the file. */
import { posix } from 'node:path';
import ts from 'typescript';
import type { HouseFile, Module } from './architecture-syntax.ts';
import { nodesOf, toModule } from './architecture-syntax.ts';
import { findTestBreaches } from './architecture-test-rules.ts';

/** What product code may import of ours, by its own top folder. The folders that are not here are not product code. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  // Of the adapters only the platform's own, never a legacy protocol.
  gateway: ['gateway', 'schema', 'adapters/redis', 'adapters/postgres', 'adapters/otlp'],
  subgraphs: ['subgraphs', 'schema', 'adapters'],
  schema: ['schema'],
  adapters: ['adapters'],
  simulators: ['simulators', 'schema', 'adapters'],
};
const PRODUCT = [...Object.keys(MAY_IMPORT), 'scripts', 'docker'];
const TOP_FOLDERS = [...PRODUCT, 'tests', 'bench', 'docs', '.ci'];

/** Lowest first: a room may import those below it. */
const GATEWAY_FLOORS = [
  'gateway/authorization/',
  'gateway/execution/',
  'gateway/operations/',
  'gateway/gateway.ts',
];

const DEPARTMENT_FILES = ['schema.graphql', 'catalogue.yaml', 'source.ts', 'resolvers.ts', 'subgraph.ts'];
const LONGEST = 400;
const GENERATED = ['schema/supergraph.graphql'];
/** Government networks are closed: a page or a program that loads something from outside does not work there. */
const CDN =
  /(?:https?:)?\/\/(?:[\w-]+\.)*(?:unpkg\.com|jsdelivr\.net|esm\.(?:sh|run)|skypack\.dev|jspm\.(?:io|dev)|cloudflare\.com|bootstrapcdn\.com|googleapis\.com|gstatic\.com|bootcss\.com|staticfile\.org|baomitu\.com|cdn[\w-]*\.[\w.-]+)/i;

export function findBreaches(files: readonly HouseFile[]): readonly string[] {
  const modules = files.filter(({ path }) => path.endsWith('.ts')).map(toModule);
  const departments = new Set(
    files.flatMap(({ path }) => /^subgraphs\/([^/]+)\/subgraph\.ts$/.exec(path)?.[1] ?? []),
  );
  return [
    ...findStrangeFolders(files),
    ...findUnevenDepartments(files),
    ...files.flatMap((file) => [...findTooLong(file), ...findCdn(file)]),
    ...modules.flatMap((module) => [
      ...findForbiddenImports(module),
      ...findDepartmentNames(module, departments),
      ...findTestBreaches(module),
    ]),
  ];
}

function findStrangeFolders(files: readonly HouseFile[]): readonly string[] {
  const folders = new Set(files.flatMap(({ path }) => (path.includes('/') ? [topOf(path)] : [])));
  return [...folders]
    .filter((folder) => !TOP_FOLDERS.includes(folder))
    .map((folder) => `${folder}/ is not a room of the house: the top folders are ${TOP_FOLDERS.join(', ')}.`);
}

function findUnevenDepartments(files: readonly HouseFile[]): readonly string[] {
  const contents = new Map<string, string[]>();
  for (const { path } of files) {
    const [, name, file] = /^subgraphs\/([^/]+)\/([^/]+)$/.exec(path) ?? [];
    if (name !== undefined && file !== undefined) contents.set(name, [...(contents.get(name) ?? []), file]);
  }
  return [...contents].flatMap(([name, there]) => {
    const missing = DEPARTMENT_FILES.filter((file) => !there.includes(file));
    if (!there.some((file) => file.endsWith('.test.ts'))) missing.push('a .test.ts');
    return missing.map((file) => `subgraphs/${name} lacks ${file}, which every department has.`);
  });
}

function findTooLong({ path, text }: HouseFile): readonly string[] {
  if (!/\.(ts|mjs|js|graphql)$/.test(path) || GENERATED.includes(path)) return [];
  const lines = text.replace(/\n$/, '').split('\n').length;
  return lines > LONGEST
    ? [`${path} has ${lines} lines: a file that tells one story stays below ${LONGEST}.`]
    : [];
}

function findCdn({ path, text }: HouseFile): readonly string[] {
  if (!PRODUCT.includes(topOf(path)) || path.endsWith('.test.ts')) return [];
  const [address] = CDN.exec(text) ?? [];
  return address === undefined
    ? []
    : [`${path} names ${address}: nothing is loaded from outside, networks here are closed.`];
}

function findForbiddenImports(module: Module): readonly string[] {
  const { path } = module;
  return importsOf(module).flatMap((target) => {
    const sibling = departmentOf(target);
    const own = departmentOf(path);
    if (own !== null && sibling !== null && sibling !== own)
      return [
        `${path} imports ${target}: a department never imports a sibling; it asks the graph, with @requires.`,
      ];
    // A test may bring up whatever it needs around what it tests.
    if (module.isTest) return [];
    const allowed = MAY_IMPORT[topOf(path)];
    if (allowed && !allowed.some((folder) => target.startsWith(`${folder}/`)))
      return [`${path} imports ${target}: ${topOf(path)} imports nothing of ours but ${allowed.join(', ')}.`];
    return runsUp(path, target)
      ? [`${path} imports ${target}: inside the gateway nothing runs back up.`]
      : [];
  });
}

function runsUp(path: string, target: string): boolean {
  const floorOf = (file: string) => GATEWAY_FLOORS.findIndex((floor) => file.startsWith(floor));
  const isRoom = /^gateway\/[^/]+\//.test(path);
  if (isRoom && target === 'gateway/gateway.ts') return true;
  return floorOf(path) !== -1 && floorOf(target) > floorOf(path);
}

/** Our own files that it imports, types too, statically or not. */
function importsOf({ path, syntax }: Module): readonly string[] {
  return [...nodesOf(syntax)].flatMap((node) => {
    const specifier = specifierOf(node);
    if (!specifier || !ts.isStringLiteralLike(specifier) || !specifier.text.startsWith('.')) return [];
    return [posix.join(posix.dirname(path), specifier.text)];
  });
}

function specifierOf(node: ts.Node): ts.Node | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier;
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return node.argument.literal;
  const isDynamic = ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword;
  return isDynamic ? node.arguments[0] : undefined;
}

function findDepartmentNames(module: Module, departments: ReadonlySet<string>): readonly string[] {
  const { path, syntax, isTest } = module;
  if (isTest || topOf(path) === 'tests') return [];
  return [...nodesOf(syntax)].flatMap((node) => {
    if (!ts.isStringLiteralLike(node) || !departments.has(node.text)) return [];
    if (topOf(path) === 'gateway')
      return [
        `${path} names the department "${node.text}": the gateway knows the graph, never a department.`,
      ];
    const isAtHome = ['subgraphs', 'simulators'].some((room) => path.startsWith(`${room}/${node.text}/`));
    return isCompared(node) && !isAtHome
      ? [`${path} decides by the department "${node.text}": what is special about one stays in its folder.`]
      : [];
  });
}

const EQUALITY = [
  ts.SyntaxKind.EqualsEqualsEqualsToken,
  ts.SyntaxKind.ExclamationEqualsEqualsToken,
  ts.SyntaxKind.EqualsEqualsToken,
  ts.SyntaxKind.ExclamationEqualsToken,
];

function isCompared({ parent }: ts.Node): boolean {
  return (
    ts.isCaseClause(parent) || (ts.isBinaryExpression(parent) && EQUALITY.includes(parent.operatorToken.kind))
  );
}

function topOf(path: string): string {
  return path.split('/', 1)[0] ?? '';
}

function departmentOf(path: string): string | null {
  return /^subgraphs\/([^/]+)\//.exec(path)?.[1] ?? null;
}
