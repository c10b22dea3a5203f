import { describe, expect, it } from '@jest/globals';
import { buildSchema, getVariableValues, parse, validate } from 'graphql';
import type { OperationDefinitionNode } from 'graphql';
import { withScalars } from './scalars.ts';

const schema = withScalars(
  buildSchema(`scalar CreditCode scalar Date scalar DateTime scalar SubjectId scalar CitizenId
    input Who { subjects: [SubjectId!], number: CitizenId }
    type Query { ask(code: CreditCode, day: Date, at: DateTime, id: SubjectId, number: CitizenId, who: Who): String }`),
);

/** Extensions of the first error, asked as a literal and as a variable; null when there is none. */
function refusals(type: string, argument: string, value: string) {
  const literal = validate(schema, parse(`{ ask(${argument}: ${JSON.stringify(value)}) }`))[0];
  const document = parse(`query ($v: ${type}) { ask(${argument}: $v) }`);
  const [operation] = document.definitions as readonly OperationDefinitionNode[];
  const variable = getVariableValues(schema, operation?.variableDefinitions ?? [], { v: value }).errors?.[0];
  const codeOf = (error: typeof literal) => {
    const own = (error?.originalError as typeof literal) ?? error;
    return own?.extensions ?? null;
  };
  return [codeOf(literal), codeOf(variable)];
}

describe('CreditCode', () => {
  it.each(['91120101MA9TYN016Y', '91120101ma9tyn016y', '９１１２０１０１ＭＡ９ＴＹＮ０１６Ｙ'])(
    'takes %s',
    (code) => {
      expect(refusals('CreditCode', 'code', code)).toEqual([null, null]);
    },
  );

  it.each([
    ['91120101MA9TYN016X', 'CHECK_DIGIT'],
    ['1234', 'LENGTH'],
    ['', 'LENGTH'],
  ])('names the check that %p fails', (code, check) => {
    const refusal = { code: 'INVALID_CREDIT_CODE', check };
    expect(refusals('CreditCode', 'code', code)).toMatchObject([refusal, refusal]);
  });
});

describe('other scalars', () => {
  it.each([
    ['Date', 'day', '2026-01-31', true],
    ['Date', 'day', '31.01.2026', false],
    ['DateTime', 'at', '2026-01-31T10:00:00+08:00', true],
    ['DateTime', 'at', '2026-01-31', false],
    ['SubjectId', 'id', 'O-91120101MA9TYN016Y', true],
    ['SubjectId', 'id', '120101190001010016', false],
  ])('%s %s: %p is taken: %p', (type, argument, value, taken) => {
    const refusal = taken ? null : expect.objectContaining({ code: 'INVALID_INPUT' });
    expect(refusals(type, argument, value)).toEqual([refusal, refusal]);
  });
});

describe('what only a variable may hold', () => {
  const CITIZEN = '120101190001010016';
  const refused = (document: string) =>
    validate(schema, parse(document)).map((error) => (error.originalError as typeof error | null) ?? error);

  it('is taken from one', () => {
    expect(refusals('CitizenId', 'number', CITIZEN)[1]).toBeNull();
    expect(refusals('SubjectId', 'id', 'C1-AAAA')[1]).toBeNull();
  });

  it.each([
    `{ ask(number: "${CITIZEN}") }`,
    `{ ask(number: ${CITIZEN}) }`,
    `{ ask(who: { number: "${CITIZEN}" }) }`,
    `query ($n: CitizenId = "${CITIZEN}") { ask(number: $n) }`,
    '{ ask(number: "nonsense") }',
    '{ ask(number: [{ x: 1 }]) }',
  ])('an ID number in the document is refused in one constant text: %s', (document) => {
    const errors = refused(document);
    expect(errors.map(({ extensions }) => extensions['code'])).toEqual(['INVALID_INPUT']);
    expect(new Set(errors.map(({ message }) => message))).toEqual(
      new Set(refused('{ ask(number: "") }').map(({ message }) => message)),
    );
    expect(JSON.stringify(errors.map(({ message, extensions }) => [message, extensions]))).not.toContain(
      CITIZEN,
    );
  });

  it.each([
    '{ ask(id: "C1-AAAA") }',
    '{ ask(id: "P1-AAAA") }',
    '{ ask(who: { subjects: ["O-91120101MA9TYN016Y", "C1-AAAA"] }) }',
    'query ($id: SubjectId = "C1-AAAA") { ask(id: $id) }',
  ])('a person’s SubjectId in the document is refused: %s', (document) => {
    expect(refused(document).map(({ extensions }) => extensions['code'])).toEqual(['INVALID_INPUT']);
  });

  it.each(['120101190001010017', '1201', 120101190001010016, null, {}])(
    'a number that is none is refused in one text that does not repeat it: %p',
    (value) => {
      const document = parse('query ($v: CitizenId!) { ask(number: $v) }');
      const [operation] = document.definitions as readonly OperationDefinitionNode[];
      const [error] =
        getVariableValues(schema, operation?.variableDefinitions ?? [], { v: value }).errors ?? [];
      const own = (error?.originalError as typeof error | null) ?? error;
      expect(own?.message).not.toMatch(/1201/);
      if (value !== null) expect(own?.extensions).toEqual({ code: 'INVALID_INPUT' });
    },
  );
});
