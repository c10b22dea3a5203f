import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { DocumentNode, FragmentDefinitionNode, SelectionSetNode } from 'graphql';
import { Kind, parse } from 'graphql';
import { assertVariablesWithinLimits, assertWithinLimits, DEFAULT_LIMITS } from './operation-limits.ts';

const limits = {
  ...DEFAULT_LIMITS,
  selections: 30,
  aliases: 5,
  depth: 6,
  rootFields: 8,
  directives: 4,
  listLength: 3,
  literalLength: 10,
  variables: 2,
};
const limitOf = (act: () => void) => {
  try {
    act();
    return null;
  } catch (error) {
    return (error as { extensions: Record<string, unknown> }).extensions['limit'];
  }
};
const limitFor = (query: string) => limitOf(() => assertWithinLimits(parse(query), limits));

describe('the limits of a document', () => {
  it.each([
    ['lets a small one through', '{ a { b(x: "0123456789") c @skip(if: false) } }', null],
    [
      'bounds its depth, through fragments',
      '{ a { b { c { ...D } } } } fragment D on X { d { e { f { g } } } }',
      'depth',
    ],
    ['bounds its selections', `{ a { ${'b '.repeat(30)} } }`, 'selections'],
    [
      'counts spreads and inline fragments as selections',
      `{ a { b ${'... { '.repeat(30)} b ${'}'.repeat(30)} } }`,
      'selections',
    ],
    [
      'bounds the fields of the root, through fragments',
      '{ a b c ...R ... { d } } fragment R on Query { e f g h i }',
      'rootFields',
    ],
    ['bounds aliases', '{ a { b: x c: x d: x e: x f: x g: x } }', 'aliases'],
    [
      'bounds aliases of __typename',
      '{ a { b: __typename c: __typename d: __typename e: __typename f: __typename g: __typename } }',
      'aliases',
    ],
    [
      'counts an alias wherever its fragment is spread',
      '{ a { ...F } b { ...F } c { ...F } } fragment F on X { y: x z: x }',
      'aliases',
    ],
    ['bounds directives', '{ a @d @d @d @d @d }', 'directives'],
    ['bounds lists', '{ a(x: [1, 2, 3, 4]) }', 'listLength'],
    ['bounds objects', '{ a(x: { a: 1, b: 1, c: 1, d: 1 }) }', 'listLength'],
    ['bounds strings', '{ a(x: "01234567890") }', 'literalLength'],
    ['bounds numbers', '{ a(x: 12345678901) }', 'literalLength'],
    ['bounds variables', 'query ($a: Int, $b: Int, $c: Int) { a }', 'variables'],
    ['bounds a fragment that nothing spreads', `{ a } fragment F on X { ${'b '.repeat(31)} }`, 'selections'],
    [
      'bounds every operation, chosen or not',
      `query A { a } query B { x { ${'b '.repeat(31)} } }`,
      'selections',
    ],
    [
      'leaves cycles and unknown fragments to validation',
      '{ a { ...F ...Nope } } fragment F on X { b ...F }',
      null,
    ],
  ])('%s', (_, query, limit) => {
    expect(limitFor(query)).toBe(limit);
  });

  it('says which limit, and how much of it there is', () => {
    expect(() => assertWithinLimits(parse('{ a @d @d @d @d @d }'), limits)).toThrow(
      /directives: at most 4\./,
    );
  });

  it('count what an expansion of the whole document would', () => {
    const name = fc.constantFrom('a', 'b', 'x: a');
    const set = fc.letrec<{ set: string; selection: string }>((tie) => ({
      selection: fc.oneof(
        { depthSize: 'small' },
        name,
        fc.constantFrom('...F0', '...F1'),
        tie('set').map((inner) => `... ${inner}`),
        fc.tuple(name, tie('set')).map(([field, inner]) => `${field} ${inner}`),
      ),
      set: fc.array(tie('selection'), { minLength: 1, maxLength: 3 }).map((all) => `{ ${all.join(' ')} }`),
    })).set;
    fc.assert(
      fc.property(set, set, set, (root, f1, f0) => {
        // F0 spreads nothing, so that there are no cycles.
        const flat = f0.replaceAll(/\.\.\.F\d/g, 'c');
        const document = parse(
          `${root} fragment F1 on X ${f1.replaceAll('...F1', '...F0')} fragment F0 on X ${flat}`,
        );
        const expanded = expand(document);
        for (const [limit, count] of Object.entries(expanded)) {
          const bounds = { ...DEFAULT_LIMITS, depth: 1e9, selections: 1e9, aliases: 1e9, rootFields: 1e9 };
          expect(limitOf(() => assertWithinLimits(document, { ...bounds, [limit]: count }))).toBe(null);
          if (count > 0)
            expect(limitOf(() => assertWithinLimits(document, { ...bounds, [limit]: count - 1 }))).toBe(
              limit,
            );
        }
      }),
    );
  });

  it('are held against a bomb without expanding it', () => {
    const fragments = Array.from(
      { length: 500 },
      (_, at) => `fragment F${at} on X { a { ...F${at + 1} } b { ...F${at + 1} } }`,
    );
    const bomb = `{ ...F0 } ${fragments.join(' ')} fragment F500 on X { c }`;
    expect(limitOf(() => assertWithinLimits(parse(bomb), { ...DEFAULT_LIMITS, depth: 1e9 }))).toBe(
      'selections',
    );
  });
});

/** The largest of every operation and fragment, counted the slow way. */
function expand(document: DocumentNode) {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const one of document.definitions)
    if (one.kind === Kind.FRAGMENT_DEFINITION) fragments.set(one.name.value, one);
  const counts = { selections: 0, aliases: 0, depth: 0 };
  for (const definition of document.definitions) {
    if (!('selectionSet' in definition)) continue;
    const own = { selections: 0, aliases: 0, depth: 0 };
    const walk = (set: SelectionSetNode, depth: number): void => {
      for (const selection of set.selections) {
        own.selections += 1;
        if (selection.kind === Kind.FIELD) {
          if (selection.alias) own.aliases += 1;
          own.depth = Math.max(own.depth, depth + 1);
          if (selection.selectionSet) walk(selection.selectionSet, depth + 1);
        } else {
          const inner =
            selection.kind === Kind.INLINE_FRAGMENT ? selection : fragments.get(selection.name.value);
          if (inner) walk(inner.selectionSet, depth);
        }
      }
    };
    walk(definition.selectionSet, 0);
    for (const key of ['selections', 'aliases', 'depth'] as const)
      counts[key] = Math.max(counts[key], own[key]);
  }
  return counts;
}

describe('the limits of variables', () => {
  const limitFor = (variables: unknown) => limitOf(() => assertVariablesWithinLimits(variables, limits));
  it.each([
    ['lets small ones through', { a: [1, 2, 3], b: { c: 1, d: 1, e: 1, f: 1 } }, null],
    ['bounds their number', { a: 1, b: 1, c: 1 }, 'variables'],
    ['bounds lists in them', { a: { b: [1, 2, 3, 4] } }, 'listLength'],
    ['bounds their depth', { a: { b: { c: { d: { e: { f: { g: { h: 1 } } } } } } } }, 'depth'],
  ])('%s', (_, variables, limit) => {
    expect(limitFor(variables)).toBe(limit);
  });
});
