import { describe, expect, it } from '@jest/globals';
import { buildSchema, getVariableValues, parse, validate } from 'graphql';
import type { OperationDefinitionNode } from 'graphql';
import { withScalars } from './scalars.ts';

const schema = withScalars(
  buildSchema(`scalar CreditCode scalar Date scalar DateTime scalar SubjectId
    type Query { ask(code: CreditCode, day: Date, at: DateTime, id: SubjectId): String }`),
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
