/** Documents of at most 16 kB that are meant to keep a gateway busy, drawn from a seed: every known way, in many sizes. */
import { randomFor } from '../../../simulators/population/random.ts';
import type { Random } from '../../../simulators/population/random.ts';
import { IMPLEMENTATIONS } from './hostile-graph.ts';

export interface HostileDocument {
  readonly family: string;
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

const MOST_BYTES = 16 * 1024;

/** The same seed draws the same documents; no two are equal, so that none is known to the gateway already. */
export function drawHostileDocuments(seed: string, count: number): readonly HostileDocument[] {
  const names = Object.keys(FAMILIES);
  return Array.from({ length: count }, (_, at) => {
    const family = names[at % names.length] ?? '';
    const random = randomFor(seed, family, String(at));
    const drawn = FAMILIES[family]?.(random) ?? '';
    const { query, variables = {} } = typeof drawn === 'string' ? { query: drawn } : drawn;
    return { family, query: fit(`# ${seed} ${at}\n`, query), variables };
  });
}

/** The bomb that is named in every report: 1.4 kB, 2^17 fields. */
export function fragmentBomb(at: number): string {
  const levels = Array.from({ length: 18 }, (_, level) =>
    level === 0
      ? 'fragment F0 on Node { v }'
      : `fragment F${level} on Node { a { ...F${level - 1} } b { ...F${level - 1} } }`,
  );
  return `# ${at}\n{ node { ...F17 } } ${levels.join(' ')}`.padEnd(1_400, ' ');
}

function fit(comment: string, query: string): string {
  const text = comment + query;
  // What is cut short is not GraphQL any more: that, too, is something that an attacker sends.
  return text.length > MOST_BYTES ? text.slice(0, MOST_BYTES) : text;
}

type Family = (random: Random) => string | { query: string; variables: Readonly<Record<string, unknown>> };

const times = (count: number, make: (at: number) => string) =>
  Array.from({ length: count }, (_, at) => make(at)).join(' ');
const nest = (count: number, open: string, inner: string, close: string) =>
  open.repeat(count) + inner + close.repeat(count);
const shapeFields = 'v id shape { v } nodes { v }';

const FAMILIES: Readonly<Record<string, Family>> = {
  nestedFragments(random) {
    const fan = random.int(2, 4);
    const levels = random.int(3, 40);
    const fragments = times(levels, (at) =>
      at === 0
        ? 'fragment F0 on Node { v }'
        : `fragment F${at} on Node { ${times(fan, (k) => `x${k}: ${random.pick(['a', 'b'])} { ...F${at - 1} }`)} }`,
    );
    return `{ node { ...F${levels - 1} } } ${fragments}`;
  },
  /** Just below every limit: what is planned at all. */
  plannable(random) {
    const levels = random.int(3, 9);
    const branch = (level: number): string =>
      level === 0
        ? 'v id'
        : `a { ${branch(level - 1)} } ${level % 2 || random.chance(0.3) ? `b { ${branch(level - 1)} }` : ''}`;
    return `{ node { ${branch(levels)} } }`;
  },
  /** Few lines, many values: what has to be merged, shaped, signed and sent. */
  largeAnswers(random) {
    const sizes = Array.from({ length: random.int(1, 4) }, () => random.int(1, 10));
    const leaves = times(random.int(1, 40), (at) =>
      at === 0 ? 'v id' : `x${at}: ${random.pick(['v', 'id'])}`,
    );
    return `{ ${sizes.map((size) => `nodes(first: ${size}) { `).join('')} ${leaves} ${'} '.repeat(sizes.length)} }`;
  },
  sameFragmentManyPlaces(random) {
    const places = random.int(2, 40);
    return `{ node { ${times(places, (at) => `${random.pick(['a', 'b'])} { ...F ${at % 3 ? 'id' : 'shape { ...G }'} }`)} } }
      fragment F on Node { v a { v id } b { v } } fragment G on Shape { ${times(random.int(1, 12), (at) => `... on S${at} { v nodes { v } }`)} }`;
  },
  wideAliases: (random) => `{ ${times(random.int(10, 1_200), (at) => `x${at}: node { v }`)} }`,
  aliasesOfTypename: (random) => `{ node { ${times(random.int(10, 1_200), (at) => `x${at}: __typename`)} } }`,
  aliasesInFragments: (random) =>
    `{ node { ${times(random.int(2, 60), () => '...F')} a { ...F } b { ...F } } } fragment F on Node { ${times(random.int(2, 60), (at) => `x${at}: v`)} }`,
  repeatedFields: (random) => `{ node { ${'v '.repeat(random.int(100, 5_000))} } }`,
  repeatedTypenames: (random) => `{ ${'__typename '.repeat(random.int(100, 1_300))} }`,
  deepLists: (random) => `{ nodes { ${nest(random.int(2, 300), 'nodes { ', 'v', ' }')} } }`,
  deepFields: (random) =>
    `{ node { ${nest(random.int(2, 1_500), `${random.pick(['a', 'b'])} { `, 'v', ' }')} } }`,
  deepInlineFragments: (random) => `{ ${nest(random.int(10, 1_300), '... { ', 'node { v }', ' }')} }`,
  inlineFragmentsOnInterface(random) {
    const selections = times(
      random.int(5, 200),
      () =>
        `... on S${random.int(0, IMPLEMENTATIONS - 1)} { ${random.pick([shapeFields, 'v', 'shape { ... on S1 { v } }'])} }`,
    );
    return `{ shape { ${selections} } }`;
  },
  nestedInterfaces: (random) =>
    `{ shape { ${nest(
      random.int(1, 12),
      'shape { v nodes { v } ',
      times(random.int(1, IMPLEMENTATIONS), (at) => `... on S${at} { v }`),
      ' }',
    )} } }`,
  overlappingFields(random) {
    const count = random.int(10, 400);
    return `{ node { ${times(count, (at) => `a { ${random.pick(['v', 'id', 'b { v }', `x${at % 7}: v`])} }`)} } }`;
  },
  conflictingFields: (random) => `{ node { ${times(random.int(10, 600), (at) => `x: text(of: "${at}")`)} } }`,
  conflictingFragments(random) {
    const count = random.int(5, 120);
    return `{ node { ${times(count, (at) => `...F${at}`)} } } ${times(count, (at) => `fragment F${at} on Node { x: text(of: "${at}") ...F${(at + 1) % count} }`)}`;
  },
  unknownFields(random) {
    const length = random.int(3, 60);
    return `{ node { ${times(random.int(20, 1_500), (at) => `${'nodess'.repeat(length).slice(0, length)}${at}`)} } }`;
  },
  unknownArguments: (random) => `{ node { text(${times(random.int(20, 1_300), (at) => `off${at}: 1`)}) } }`,
  fragmentCycles(random) {
    const count = random.int(2, 300);
    return `{ node { ...F0 } } ${times(count, (at) => `fragment F${at} on Node { v ...F${(at + 1) % count} ...F${random.int(0, count - 1)} }`)}`;
  },
  unusedFragments: (random) =>
    `{ node { v } } ${times(random.int(10, 400), (at) => `fragment F${at} on Node { v a { v } }`)}`,
  manyOperations: (random) => times(random.int(2, 600), (at) => `query Q${at} { node { v } }`),
  hugeLiterals: (random) =>
    `{ node { text(of: ${random.pick([JSON.stringify('x'.repeat(random.int(100, 15_000))), `"""${'\n   x'.repeat(random.int(10, 3_000))}"""`, '9'.repeat(random.int(10, 15_000))])}) } }`,
  listLiterals: (random) =>
    `{ node { pick(filter: { words: [${times(random.int(10, 4_000), () => '"x"')}] }) } }`,
  deepLiterals: (random) =>
    `{ node { pick(filter: ${nest(random.int(5, 1_200), '{ deep: ', '{ n: 1 }', ' }')}) } }`,
  deepListLiterals: (random) => `{ node { pick(filter: ${nest(random.int(5, 5_000), '[', '', ']')}) } }`,
  manyVariables(random) {
    const count = random.int(5, 800);
    return {
      query: `query (${times(count, (at) => `$v${at}: String = "d"`)}) { node { ${times(count, (at) => `x${at}: text(of: $v${at})`)} } }`,
      variables: Object.fromEntries(Array.from({ length: count }, (_, at) => [`v${at}`, 'x'])),
    };
  },
  malformedVariables: (random) => ({
    query: 'query ($f: Filter) { node { pick(filter: $f) } }',
    variables: {
      f: Object.fromEntries(Array.from({ length: random.int(10, 1_500) }, (_, at) => [`wrods${at}`, at])),
    },
  }),
  deepVariables(random) {
    let deep: unknown = { n: 1 };
    for (let level = random.int(5, 1_500); level > 0; level--) deep = { deep };
    return { query: 'query ($f: Filter) { node { pick(filter: $f) } }', variables: { f: deep } };
  },
  directives: (random) =>
    `{ node { ${times(random.int(1, 20), () => `v ${'@skip(if: false) '.repeat(random.int(1, 60))}`)} } }`,
  unknownDirectives: (random) => `{ node ${'@x'.repeat(random.int(50, 7_000))} { v } }`,
  conditions: (random) => ({
    query: `query (${times(random.int(1, 40), (at) => `$c${at}: Boolean = true`)}) { node { ${times(random.int(1, 40), (at) => `a @include(if: $c${at}) { v b @skip(if: $c0) { v } }`)} } }`,
    variables: {},
  }),
  introspection(random) {
    const depth = random.int(1, 9);
    const deep = nest(depth, 'fields { type { ', 'name', ' } }');
    return `{ ${times(random.int(1, 55), (at) => `s${at}: __schema { types { name ${at % 2 ? deep : 'fields { name args { name type { name } } }'} } }`)} }`;
  },
  introspectionOfTypes: (random) =>
    `{ ${times(random.int(1, 55), (at) => `t${at}: __type(name: "Node") { ...T }`)} } fragment T on __Type { name ${nest(random.int(1, 6), 'ofType { ', 'name', ' }')} possibleTypes { name } fields { name type { name } } }`,
  junk(random) {
    const parts = [
      '{',
      '}',
      '(',
      ')',
      '...',
      'on',
      '@',
      '$',
      ':',
      '[',
      ']',
      'node',
      'v',
      '"',
      '"""',
      '#',
      '\\u0000',
      '|',
      '&',
      '=',
      '!',
      '1e9',
      '-',
    ];
    return times(random.int(10, 6_000), () => random.pick(parts));
  },
  blanks: (random) =>
    `{ node { v${random.pick([',', ' ', '\n', '\t', '#\n', '\ufeff'])}${random.pick([',', ' ', '\n']).repeat(random.int(10, 15_000))} } }`,
  surrogates: (random) =>
    `{ node { text(of: "${random.pick(['\\ud83d', '\\u{1F600}', '😀', '\\u0000', '\ud800']).repeat(random.int(10, 2_000))}") } }`,
};
