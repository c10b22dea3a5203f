import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { findBreaches } from './architecture-rules.ts';
import type { HouseFile } from './architecture-syntax.ts';

const ROOT = join(import.meta.dirname, '..');
/** What git does not keep is not of the house; an editor's own folders neither. */
const IGNORED = readFileSync(join(ROOT, '.gitignore'), 'utf8')
  .split('\n')
  .map((line) => line.replace(/\/$/, ''));
const READABLE = /\.(ts|mjs|js|graphql|yaml|json|html|svg)$/;

function readHouse(folder = ROOT): readonly HouseFile[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const absolute = join(folder, entry.name);
    const path = relative(ROOT, absolute).split(sep).join('/');
    if (IGNORED.includes(path) || IGNORED.includes(entry.name)) return [];
    if (entry.isDirectory()) return entry.name.startsWith('.') && path !== '.ci' ? [] : readHouse(absolute);
    return [{ path, text: READABLE.test(path) ? readFileSync(absolute, 'utf8') : '' }];
  });
}

describe('the house', () => {
  const house = readHouse();

  it('was read', () => {
    expect(house.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['gateway/gateway.ts', 'subgraphs/define.ts']),
    );
  });

  it('keeps its own rules', () => {
    expect(findBreaches(house)).toEqual([]);
  });
});

const DEPARTMENT = [
  'schema.graphql',
  'catalogue.yaml',
  'source.ts',
  'resolvers.ts',
  'subgraph.ts',
  'tax.test.ts',
];
const file = (path: string, text = ''): HouseFile => ({ path, text });
const tax = DEPARTMENT.map((name) => file(`subgraphs/tax/${name}`));
const courts = DEPARTMENT.map((name) => file(`subgraphs/courts/${name}`));
const inTest = (text: string, path = 'schema/x.test.ts') =>
  file(path, `import { it } from '@jest/globals';\n${text}`);

describe('the rules of the house', () => {
  it.each<[string, HouseFile, RegExp]>([
    [
      'the gateway imports a department',
      file('gateway/a.ts', `import x from '../subgraphs/tax/source.ts';`),
      /gateway imports nothing of ours but/,
    ],
    [
      'the gateway imports a legacy protocol',
      file('gateway/a.ts', `import '../adapters/soap/xml.ts';`),
      /adapters\/redis/,
    ],
    [
      'schema imports an adapter, if only its type',
      file('schema/a.ts', `import type { A } from '../adapters/adapter.ts';`),
      /schema imports nothing of ours but schema/,
    ],
    [
      'schema names a type of the gateway in place',
      file('schema/a.ts', `type A = import('../gateway/gateway.ts').B;`),
      /nothing of ours/,
    ],
    [
      'an adapter imports schema',
      file('adapters/rest/a.ts', `export * from '../../schema/keys.ts';`),
      /adapters imports nothing of ours but adapters/,
    ],
    [
      'product code imports a simulator, when it runs',
      file('subgraphs/a.ts', `await import('../simulators/start.ts');`),
      /subgraphs imports nothing/,
    ],
    [
      'product code imports scripts',
      file('gateway/a.ts', `import '../scripts/compose.ts';`),
      /nothing of ours/,
    ],
    ['product code imports bench', file('adapters/a.ts', `import '../bench/main.ts';`), /nothing of ours/],
    [
      'a simulator imports a department',
      file('simulators/tax/a.ts', `import '../../subgraphs/tax/source.ts';`),
      /simulators imports nothing/,
    ],
    [
      'a department imports a sibling',
      file('subgraphs/tax/source.ts', `import '../courts/source.ts';`),
      /never imports a sibling/,
    ],
    [
      'a test of a department imports a sibling',
      file('subgraphs/tax/tax.test.ts', `import '../courts/source.ts';`),
      /never imports a sibling/,
    ],
    [
      'authorization imports execution',
      file('gateway/authorization/a.ts', `import '../execution/shape.ts';`),
      /nothing runs back up/,
    ],
    [
      'execution imports operations',
      file('gateway/execution/a.ts', `import '../operations/prepare.ts';`),
      /nothing runs back up/,
    ],
    [
      'operations import gateway.ts',
      file('gateway/operations/a.ts', `import '../gateway.ts';`),
      /nothing runs back up/,
    ],
    [
      'limits import gateway.ts',
      file('gateway/limits/a.ts', `import type { G } from '../gateway.ts';`),
      /nothing runs back up/,
    ],
    [
      'the gateway names a department',
      file('gateway/a.ts', `const special = ['tax'];`),
      /names the department "tax"/,
    ],
    [
      'the gateway names one in a template',
      file('gateway/a.ts', 'const special = `tax`;'),
      /names the department "tax"/,
    ],
    [
      'a script decides by department',
      file('scripts/a.ts', `if (department === 'tax') x();`),
      /decides by the department "tax"/,
    ],
    [
      'a department decides by another',
      file('subgraphs/courts/source.ts', `switch (d) { case 'tax': x(); }`),
      /decides by the department "tax"/,
    ],
    ['a file is too long', file('schema/a.ts', 'x;\n'.repeat(401)), /401 lines/],
    [
      'a page loads from a CDN',
      file('gateway/http/a.html', '<script src="//unpkg.com/x"></script>'),
      /names \/\/unpkg\.com/,
    ],
    [
      'code loads fonts',
      file('gateway/a.ts', `const f = 'https://fonts.googleapis.com/css';`),
      /fonts\.googleapis/,
    ],
    [
      'code loads from somebody’s CDN',
      file('gateway/a.ts', `const f = 'https://cdn.example.com/x';`),
      /cdn\.example/,
    ],
    ['a room is made up', file('helpers/a.ts'), /helpers\/ is not a room/],
    ['a department lacks its source', file('subgraphs/new/subgraph.ts'), /subgraphs\/new lacks source\.ts/],
    ['a test is skipped', inTest(`it.skip('x', () => { expect(1).toBe(1); });`), /says it\.skip/],
    ['a table of tests runs alone', inTest(`describe.only.each([])('x', () => {});`), /says describe\.only/],
    ['a test is put off', inTest(`it.todo('x');`), /says it\.todo/],
    ['a test is skipped by its other name', inTest(`xit('x', () => { expect(1).toBe(1); });`), /says xit/],
    [
      'a test asserts nothing',
      inTest(`it('runs', async () => { await run(); });`),
      /the test 'runs' asserts nothing/,
    ],
    [
      'a table of tests asserts nothing',
      inTest(`it.each([1])('runs %s', (n) => { run(n); });`),
      /asserts nothing/,
    ],
    [
      'a helper asserts nothing either',
      inTest(`const ok = () => run();\nit('runs', () => { ok(); });`),
      /asserts nothing/,
    ],
    [
      'a property returns nothing',
      inTest(`it('holds', () => { fc.assert(fc.property(fc.nat().map((n) => n), (n) => { run(n); })); });`),
      /asserts nothing/,
    ],
    [
      'a shared suite asserts nothing',
      inTest(`export const suite = () => { it('x', () => {}); };`, 'adapters/contract.ts'),
      /asserts nothing/,
    ],
  ])('notice when %s', (_, bad, sentence) => {
    const others = [...tax, ...courts].filter(({ path }) => path !== bad.path);
    const breaches = findBreaches([...others, bad]).filter((breach) => sentence.test(breach));
    expect(breaches).toHaveLength(1);
    expect(breaches[0]).toContain(bad.path.split('/')[0]);
  });

  it.each<[string, HouseFile]>([
    [
      'the gateway uses its stores and schema',
      file('gateway/a.ts', `import '../adapters/redis/store.ts';\nimport '../schema/keys.ts';`),
    ],
    [
      'gateway.ts uses the rooms below it',
      file('gateway/gateway.ts', `import './operations/a.ts';\nimport './http/b.ts';`),
    ],
    ['operations use authorization', file('gateway/operations/a.ts', `import '../authorization/decide.ts';`)],
    ['main.ts uses gateway.ts', file('gateway/main.ts', `import './gateway.ts';`)],
    ['a test uses simulators', file('adapters/sql/a.test.ts', `import '../../simulators/start.ts';`)],
    [
      'a department uses what all share',
      file('subgraphs/tax/source.ts', `import '../define.ts';\nimport './resolvers.ts';`),
    ],
    ['a department knows its own name', file('subgraphs/tax/source.ts', `if (item === 'tax') x();`)],
    ['a script lists departments', file('scripts/a.ts', `const first = 'tax';`)],
    ['a test of the gateway names one', file('gateway/a.test.ts', `const d = 'tax';`)],
    ['a package is imported', file('schema/a.ts', `import { z } from 'zod';`)],
    ['a namespace is no CDN', file('gateway/a.ts', `const ns = 'http://www.w3.org/2000/svg';`)],
    ['the generated supergraph is long', file('schema/supergraph.graphql', 'x\n'.repeat(5_000))],
    ['a test asserts', inTest(`it('x', () => { expect(1).toBe(1); });`)],
    [
      'a test asserts through a function beside it',
      inTest(`function same(a) { expect(a).toBe(1); }\nit('x', () => { same(1); });`),
    ],
    [
      'a property returns its verdict',
      inTest(`it('x', () => { fc.assert(fc.property(fc.nat(), (n) => n >= 0)); });`),
    ],
    [
      'a word that looks like an annotation',
      inTest(`it('x', () => { expect(parser.only).toBe(iterator.skip); });`),
    ],
  ])('have nothing against it when %s', (_, good) => {
    const others = [...tax, ...courts].filter(({ path }) => path !== good.path);
    expect(findBreaches([...others, good])).toEqual([]);
  });
});
