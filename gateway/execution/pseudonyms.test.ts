import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { OperationDefinitionNode } from 'graphql';
import { buildSchema, GraphQLError, parse } from 'graphql';
import { sandboxBytes } from '../../schema/keys.ts';
import type { Principal } from '../../schema/principal.ts';
import { createSubjectIds } from '../../schema/subject-id.ts';
import { consumerOf, createPseudonyms, openVariables } from './pseudonyms.ts';

const subjectIds = createSubjectIds(new Map([[1, sandboxBytes('subject', 64)]]));
const principal = (kind: Principal['kind'], id: string): Principal => ({
  kind,
  id,
  purpose: 'PUBLIC_QUERY',
  subjects: [],
});
const bank = createPseudonyms(subjectIds, principal('bank', 'x'));
const PLATFORM = subjectIds.ofPerson('120101190001010016');
const EDGE = bank.toEdge(PLATFORM) ?? '';
const ORGANISATION = 'O-91120101MA9TYN016Y';

const schema = buildSchema(`scalar SubjectId
  input Deep { subject: SubjectId more: [Deep] lists: [[SubjectId]] note: String }
  type Query { ask(id: SubjectId, ids: [SubjectId!], deep: Deep, note: String): String }`);
const [operation] = parse(
  'query ($id: SubjectId, $ids: [SubjectId!], $deep: Deep, $note: String, $__proto__: SubjectId) { ask }',
).definitions as readonly [OperationDefinitionNode];
const open = (variables: Readonly<Record<string, unknown>>) =>
  openVariables(schema, operation, variables, bank);

function refusalOf(variables: Readonly<Record<string, unknown>>) {
  try {
    open(variables);
  } catch (error) {
    if (error instanceof GraphQLError) return [error.path, error.extensions, error.message];
  }
  return null;
}

describe('the variables of a client', () => {
  it('hold the platform’s ids afterwards, wherever their type says SubjectId', () => {
    const deep = {
      subject: EDGE,
      more: [{ subject: ORGANISATION, lists: [[EDGE, null], null] }, null],
      note: EDGE,
    };
    expect(open({ id: EDGE, ids: [EDGE, ORGANISATION], deep, note: EDGE })).toEqual({
      id: PLATFORM,
      ids: [PLATFORM, ORGANISATION],
      deep: {
        subject: PLATFORM,
        more: [{ subject: ORGANISATION, lists: [[PLATFORM, null], null] }, null],
        note: EDGE,
      },
      note: EDGE,
    });
  });

  it('may give one value for a list of one, leave out what may be left out, and bear any name', () => {
    expect(open({ ids: EDGE, deep: { more: { subject: EDGE } } })).toEqual({
      ids: PLATFORM,
      deep: { more: { subject: PLATFORM } },
    });
    expect(open({})).toEqual({});
    expect(open({ id: null })).toEqual({ id: null });
    const odd = open(JSON.parse(`{"__proto__": "${EDGE}"}`) as Record<string, unknown>);
    expect(Object.getOwnPropertyDescriptor(odd, '__proto__')?.value).toBe(PLATFORM);
  });

  it('are not changed themselves', () => {
    const deep = { subject: EDGE, more: [{ subject: EDGE }] };
    open({ deep });
    expect(deep).toEqual({ subject: EDGE, more: [{ subject: EDGE }] });
  });

  it.each([
    ['the platform’s own', PLATFORM],
    ['another bank’s', createPseudonyms(subjectIds, principal('bank', 'y')).toEdge(PLATFORM)],
    [
      'a partner’s of the same name',
      createPseudonyms(subjectIds, principal('partner', 'x')).toEdge(PLATFORM),
    ],
    ['changed', `${EDGE.slice(0, -2)}AA`],
    ['made up', 'C1-AAAA'],
    ['of no organisation', 'O-91120101MA9TYN01II'],
  ])('with an id that is %s are refused in one text', (_, id) => {
    for (const variables of [{ id }, { ids: [EDGE, id] }, { deep: { more: [{ subject: id }] } }])
      expect(refusalOf(variables)).toEqual(refusalOf({ id: 'C1-AAAA' }));
    expect(refusalOf({ id })).toEqual([undefined, { code: 'SUBJECT_NOT_FOUND' }, expect.any(String)]);
  });
});

describe('the consumer', () => {
  it('is one for no two principals of different kind or id', () => {
    const anybody = fc.record({
      kind: fc.constantFrom('public', 'bank', 'department', 'partner', 'subject' as const),
      id: fc.string({ minLength: 1, maxLength: 20 }),
    });
    fc.assert(
      fc.property(anybody, anybody, (one, other) => {
        const isSame = one.kind === other.kind && one.id === other.id;
        expect(
          consumerOf(principal(one.kind as 'bank', one.id)) ===
            consumerOf(principal(other.kind as 'bank', other.id)),
        ).toBe(isSame);
      }),
    );
  });
});
