import { describe, expect, it } from '@jest/globals';
import type { FragmentDefinitionNode } from 'graphql';
import { buildSchema, getOperationAST, getVariableValues, Kind, parse } from 'graphql';
import { withScalars } from '../../schema/scalars.ts';
import { createNamedSubjects } from './named-subjects.ts';

const schema = withScalars(
  buildSchema(`scalar SubjectId scalar CreditCode
    input Filter { subject: SubjectId nested: Filter note: String }
    type Subject { log(of: SubjectId): String inner: Subject }
    type Query { one(id: SubjectId!): Subject many(ids: [SubjectId!]!): Subject company(code: CreditCode): Subject
      audit(filter: Filter): Subject text(id: String): Subject }`),
);
const namedSubjects = createNamedSubjects(schema);
/** No person's id stands in the text of an operation. */
const [A, B, C] = ['O-91120101MA9TYN016Y', 'P1-abcdef', 'O-91120116MA9TYN024H'] as const;

function named(query: string, variables: Record<string, unknown> = {}): readonly string[] {
  const document = parse(query);
  const operation = getOperationAST(document, 'Q') ?? getOperationAST(document);
  if (!operation) throw new Error('no operation');
  const fragments = new Map(
    document.definitions
      .filter((one): one is FragmentDefinitionNode => one.kind === Kind.FRAGMENT_DEFINITION)
      .map((one) => [one.name.value, one]),
  );
  const { coerced } = getVariableValues(schema, operation.variableDefinitions ?? [], variables);
  return [...namedSubjects(operation, fragments, coerced ?? {})].sort();
}

describe('the subjects that an operation names', () => {
  it.each<[string, readonly string[], Record<string, unknown>?]>([
    [`{ one(id: "${A}") { inner { log } } }`, [A]],
    [`query Q($x: SubjectId!) { y: one(id: $x) { log } }`, [B], { x: B }],
    [`query Q($x: [SubjectId!]!) { many(ids: $x) { log } }`, [A, B], { x: [A, B] }],
    [`query Q($x: SubjectId!) { many(ids: [$x, "${A}", "${A}"]) { log } }`, [A, B], { x: B }],
    [`{ many(ids: "${A}") { log } }`, [A]],
    [`{ company(code: "91120101MA9TYN016Y") { log } }`, [A]],
    [`{ audit(filter: { nested: { subject: "${C}" } }) { log } }`, [C]],
    [`query Q($f: Filter) { audit(filter: $f) { log } }`, [A], { f: { subject: A, note: B } }],
    [`query Q($f: Filter) { audit(filter: $f) { log } }`, []],
    [`{ text(id: "${A}") { log } }`, []],
    [
      `{ text { ...F ...F } } fragment F on Subject { inner { log(of: "${C}") ...G } } fragment G on Subject { log(of: "${A}") }`,
      [A, C],
    ],
    [
      `query Q { text { log } } query R { one(id: "${A}") { ...F } } fragment F on Subject { log(of: "${C}") }`,
      [],
    ],
    [`{ text { ... on Subject { inner { log(of: "${C}") } } } }`, [C]],
  ])('%s', (query, expected, variables = {}) => {
    expect(named(query, variables)).toEqual(expected);
  });
});

it('are those of the variables of each request, of an operation that is kept', () => {
  const document = parse('query Q($x: SubjectId!) { one(id: $x) { log } }');
  const operation = getOperationAST(document);
  const of = (x: string) => operation && [...namedSubjects(operation, new Map(), { x })];
  expect([of(A), of(B), of(A)]).toEqual([[A], [B], [A]]);
});
