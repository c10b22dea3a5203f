import { describe, expect, it } from '@jest/globals';
import type { FragmentDefinitionNode, OperationDefinitionNode } from 'graphql';
import { buildASTSchema, Kind, parse, validate } from 'graphql';
import { composeServices } from '@apollo/composition';
import { amountOf } from './amount.ts';
import { readCostRules } from './cost-rules.ts';
import { createCostModel, createValueModel } from './cost.ts';
import { createSubjectCounter } from './subjects.ts';

const SDL = `
  scalar CreditCode  scalar SubjectId
  interface Shape { size: Int edge: Edge }
  type Edge { name: String }
  type Round implements Shape { size: Int edge: Edge @COST(weight: 7) }
  type Square implements Shape @COST(weight: 4) { size: Int edge: Edge }
  type Page { items: [Edge] total: Int }
  input Look { code: CreditCode others: [SubjectId!] more: Look word: String }
  input Inner { outer: Outer }  input Outer { inner: Inner code: CreditCode }
  type Query {
    edge: Edge  edges: [Edge]
    first(n: Int = 3): [Edge] @LIST(slicingArguments: ["n"], requireOneSlicingArgument: false)
    assumed: [Edge] @LIST(assumedSize: 40)
    byCode(codes: [CreditCode!]!): [Edge]
    page(n: Int): Page @LIST(slicingArguments: ["n"], sizedFields: ["items"])
    heavy(by: String @COST(weight: 9)): Edge @COST(weight: 20)
    shape: Shape
    leaf: String @COST(weight: 2)
    look(at: Look, all: [Look!], code: CreditCode, round: Inner): Edge
    free: String
  }
  type Mutation { change: Edge }`;
const LINK = (imports: string, as = '') =>
  `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: [${imports}]${as}) `;

function compose(header: string, cost: string, list: string) {
  const sdl = header + SDL.replaceAll('@COST', cost).replaceAll('@LIST', list);
  const { supergraphSdl, errors } = composeServices([{ name: 'a', url: 'http://a', typeDefs: parse(sdl) }]);
  if (supergraphSdl === undefined) throw new Error(String(errors));
  const document = parse(supergraphSdl);
  return { document, schema: buildASTSchema(document, { assumeValidSDL: true }) };
}

const { schema, document } = compose(LINK('"@cost", "@listSize"'), '@cost', '@listSize');
const costs = createCostModel(schema, readCostRules(document));
const values = createValueModel(schema, readCostRules(document));
const subjects = createSubjectCounter(schema);

function amount(of: typeof costs, query: string, variables: Record<string, unknown> = {}) {
  const read = parse(query);
  const problems = validate(schema, read);
  if (problems[0]) throw problems[0];
  const fragments = new Map<string, FragmentDefinitionNode>();
  let operation: OperationDefinitionNode | undefined;
  for (const definition of read.definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
    else if (definition.kind === Kind.OPERATION_DEFINITION) operation = definition;
  if (!operation) throw new Error('no operation');
  return amountOf(of(operation, fragments), variables);
}

describe('the cost of an operation', () => {
  it.each([
    ['a leaf is free, an object is one', '{ free edge { name } }', 1],
    ['a list of unknown length is ten of them', '{ edges { name } }', 10],
    [
      'a weight replaces the standard one, and an argument may have its own',
      '{ leaf heavy(by: "x") { name } }',
      31,
    ],
    ['an argument that is left out costs nothing', '{ heavy { name } }', 20],
    ['an assumed size counts', '{ assumed { name } }', 40],
    ['a slicing argument counts, its default too', '{ a: first(n: 5) { name } b: first { name } }', 8],
    ['a negative slice is no discount', '{ first(n: -1000) { name } heavy { name } }', 20],
    ['a list of arguments is as long as its answer', '{ byCode(codes: ["a", "b", "c"]) { name } }', 3],
    ['a size can be that of a list below', '{ page(n: 30) { items { name } total } }', 31],
    ['of an interface the dearest implementation counts', '{ shape { size edge { name } } }', 11],
    [
      'every fragment counts where it is spread',
      '{ ...F ... { ...F } } fragment F on Query { a: edge { name } }',
      2,
    ],
    ['a mutation is ten more', 'mutation { change { name } }', 11],
  ])('%s', (_, query, cost) => {
    expect(amount(costs, query)).toBe(cost);
  });

  it('depends on variables where sizes do', () => {
    const query =
      'query ($n: Int, $codes: [CreditCode!]!) { first(n: $n) { name } byCode(codes: $codes) { name } }';
    expect(amount(costs, query, { n: 7, codes: ['a', 'b'] })).toBe(9);
    expect(amount(costs, query, { codes: [] })).toBe(3);
    expect(amount(costs, query, { n: -5, codes: [] })).toBe(0);
  });

  it('is counted in linear time, whatever fragments do', () => {
    const fragments = Array.from({ length: 60 }, (_, at) =>
      at === 0
        ? 'fragment F0 on Query { edge { name } }'
        : `fragment F${at} on Query { ...F${at - 1} ... { ...F${at - 1} } }`,
    );
    const read = parse(`{ ...F59 } ${fragments.join(' ')}`);
    const [operation, ...rest] = read.definitions as [OperationDefinitionNode, ...FragmentDefinitionNode[]];
    const byName = new Map(rest.map((fragment) => [fragment.name.value, fragment]));
    expect(costs(operation, byName)).toBe(2 ** 59);
    expect(subjects(operation, byName)).toBe(0);
  });

  it.each([
    [
      'renamed',
      LINK('{ name: "@cost", as: "@price" }, { name: "@listSize", as: "@long" }'),
      '@price',
      '@long',
    ],
    ['under their full names', LINK(''), '@federation__cost', '@federation__listSize'],
  ])('is read from directives that are %s', (_, header, cost, list) => {
    const other = compose(header, cost, list);
    const rules = readCostRules(other.document);
    expect(rules.weights).toEqual(readCostRules(document).weights);
    expect(rules.lists).toEqual(readCostRules(document).lists);
  });

  it('takes directives of the same name, but not of the specification, for what they are', () => {
    const rules = readCostRules(
      parse('directive @cost(weight: Int!) on OBJECT type Query @cost(weight: 9) { a: Int }'),
    );
    expect([...rules.weights]).toEqual([]);
  });
});

describe('the values of an answer', () => {
  it.each([
    ['leaves and objects, each as often as its list is long', '{ leaf first(n: 7) { name } }', 15],
    [
      'what weighs nothing or much is one value like any other',
      '{ heavy(by: "x") { name } shape { size } }',
      4,
    ],
    ['a mutation is no more than what it answers', 'mutation { change { name } }', 2],
  ])('%s', (_, query, count) => {
    expect(amount(values, query)).toBe(count);
  });
});

describe('the subjects of an operation', () => {
  it.each([
    ['none', '{ free look(at: { word: "x" }) { name } }', 0],
    ['each alias', '{ a: look(code: "1") { name } b: look(code: "1") { name } }', 2],
    ['each entry of a list', '{ byCode(codes: ["1", "2", "3"]) { name } }', 3],
    [
      'those inside of inputs',
      '{ look(all: [{ code: "1", others: ["2", "3"] }, { more: { code: "4" } }]) { name } }',
      4,
    ],
    ['one value where a list is expected', '{ look(at: { others: "1" }) { name } }', 1],
    ['no null', '{ look(code: null) { name } }', 0],
    [
      'those in fragments, as often as they are spread',
      '{ ...F ... { ...F } } fragment F on Query { look(code: "1") { name } }',
      2,
    ],
    [
      'those in inputs that hold each other',
      '{ look(round: { outer: { inner: { outer: { code: "1" } } } }) { name } }',
      1,
    ],
  ])('are %s', (_, query, count) => {
    expect(amount(subjects, query)).toBe(count);
  });

  it('are counted in variables, for each place that uses them', () => {
    const query = `query ($look: Look, $code: CreditCode, $all: [Look!]) {
      a: look(at: $look, code: $code) { name } b: look(at: $look) { name } c: look(all: $all) { name } }`;
    const look = { code: '1', others: ['2', '3'], more: { code: '4', word: 'x' } };
    expect(amount(subjects, query, { look, code: null, all: [look, {}] })).toBe(12);
    expect(amount(subjects, query, {})).toBe(0);
  });
});
