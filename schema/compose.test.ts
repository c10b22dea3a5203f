import { describe, expect, it } from '@jest/globals';
import { composeSupergraph, CompositionError } from './compose.ts';

const subjects = {
  name: 'subjects',
  url: 'http://127.0.0.1:1/subjects/graphql',
  sdl: 'type Query { creditSubject(code: CreditCode!): CreditSubject } type CreditSubject @key(fields: "id") { id: SubjectId! }',
};
const tax = (fields: string) => ({
  name: 'tax',
  url: 'http://127.0.0.1:1/tax/graphql',
  sdl: `type CreditSubject @key(fields: "id") { id: SubjectId! ${fields} }`,
});
const compose = (...others: { name: string; url: string; sdl: string }[]) =>
  composeSupergraph([subjects, ...others]);

describe('composition', () => {
  it('joins departments that were each written alone', () => {
    const supergraph = compose(tax('grade: String @policy(policies: [["tax.grade"]])'));
    expect(supergraph).toContain('grade: String @join__field(graph: TAX) @policy(policies: [["tax.grade"]])');
    expect(supergraph).toContain('join__graph(name: "tax", url: "http://127.0.0.1:1/tax/graphql")');
  });

  it('gives the same text for the same departments', () => {
    expect(compose(tax('grade: String'))).toBe(compose(tax('grade: String')));
  });

  it.each([
    ['a type that nobody defines', [tax('grade: Grade')], 'Grade'],
    [
      'two departments that give one field',
      [tax('name: String'), { ...tax('name: String'), name: 'courts' }],
      'name',
    ],
    [
      'a derived field that would give away what it is derived from',
      [
        tax('income: Float @policy(policies: [["tax.income"]])'),
        { ...tax('income: Float @external  score: Int @requires(fields: "income")'), name: 'finance' },
      ],
      '@policy',
    ],
  ])('says what is wrong with %s', (_, departments, reason) => {
    expect(() => compose(...departments)).toThrow(CompositionError);
    expect(() => compose(...departments)).toThrow(reason);
  });
});
