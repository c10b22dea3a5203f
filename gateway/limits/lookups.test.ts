import { describe, expect, it } from '@jest/globals';
import type { FieldNode, FragmentDefinitionNode, OperationDefinitionNode } from 'graphql';
import { buildSchema, Kind, parse } from 'graphql';
import { createLookupRates, createMemoryPoints, findLookups } from './lookups.ts';

const schema = buildSchema(`scalar CitizenId scalar CreditCode
  input Who { name: String number: CitizenId kin: [Who!] }
  type Query { who(who: Who!): String many(numbers: [CitizenId!]): String company(code: CreditCode): String }`);

function find(
  document: string,
  variables: Readonly<Record<string, unknown>> = {},
  cut: readonly string[] = [],
) {
  const { definitions } = parse(document);
  const fragments = new Map(
    definitions
      .filter((one): one is FragmentDefinitionNode => one.kind === Kind.FRAGMENT_DEFINITION)
      .map((fragment) => [fragment.name.value, fragment]),
  );
  const [operation] = definitions as readonly [OperationDefinitionNode];
  const isCut = (field: FieldNode) => cut.includes(field.alias?.value ?? field.name.value);
  return findLookups(schema, { operation, fragments, isCut }, variables);
}

describe('the look-ups of an operation', () => {
  const [one, two] = ['120101190001010016', '12010419000315002X'];

  it('are the fields that can hold an ID number, at any depth of their arguments', () => {
    const document =
      'query ($w: Who!, $n: [CitizenId!]) { company(code: "x") who(who: $w) many(numbers: $n) }';
    expect(find(document, { w: { number: one, kin: [{ number: two }] }, n: [one] })).toEqual({
      fields: 2,
      numbers: [one, two, one],
    });
  });

  it('count every alias, in fragments and under conditions as well', () => {
    const document = `query ($w: Who!) { a: who(who: $w) ... { b: who(who: $w) } ...F ...F }
      fragment F on Query { c: who(who: $w) @skip(if: true) }`;
    expect(find(document, { w: { number: one } })).toEqual({ fields: 4, numbers: [one, one, one, one] });
  });

  it('are not those that are denied before anybody is asked', () => {
    expect(
      find('query ($w: Who!) { a: who(who: $w) b: who(who: $w) }', { w: { number: one } }, ['a']),
    ).toEqual({
      fields: 1,
      numbers: [one],
    });
    expect(find('{ company(code: "x") }')).toEqual({ fields: 0, numbers: [] });
  });
});

describe('the rates of look-ups', () => {
  const refused = { extensions: { code: 'RATE_LIMITED', retryAfter: 3_600 } };
  const rates = (perConsumer: number, perConsumerAndPerson: number, perPerson: number) =>
    createLookupRates({
      perConsumer: createMemoryPoints(perConsumer, 3_600),
      perConsumerAndPerson: createMemoryPoints(perConsumerAndPerson, 3_600),
      perPerson: createMemoryPoints(perPerson, 3_600),
    });

  it('count each time: a hundred guesses in one operation are a hundred', async () => {
    const take = rates(100, 100, 100);
    await take('bank a', Array<string>(100).fill('P1-x'));
    await expect(take('bank a', ['P1-y'])).rejects.toMatchObject(refused);
    await expect(take('bank b', ['P1-x'])).rejects.toMatchObject(refused);
    await take('bank b', ['P1-y']);
  });

  it('of a consumer that has used up its own do not use up a person’s', async () => {
    const take = rates(100, 3, 4);
    await take('bank a', ['P1-x', 'P1-x', 'P1-x']);
    for (let at = 0; at < 5; at++) await expect(take('bank a', ['P1-x'])).rejects.toMatchObject(refused);
    await take('bank b', ['P1-x']);
    await expect(take('bank c', ['P1-x'])).rejects.toMatchObject(refused);
  });

  it('are none for an operation that looks nobody up', async () => {
    const take = rates(1, 1, 1);
    for (let at = 0; at < 5; at++) await expect(take('bank a', [])).resolves.toBeUndefined();
  });
});
