import { describe, expect, it } from '@jest/globals';
import type { DocumentNode } from 'graphql';
import { buildSchema, parse, validate } from 'graphql';
import { createError } from '../../schema/errors.ts';
import type { Allowed, Denied } from '../authorization/decision.ts';
import type { LookupPorts } from './person-lookup.ts';
import { createPersonLookups } from './person-lookup.ts';
import { readFetchOperation } from './fetch-operation.ts';
import { readLookups } from './lookup-fetch.ts';
import { createTrail } from './request-scope.ts';
import type { SubgraphAnswer } from './transport.ts';

const schema = buildSchema(`scalar CitizenId
  input Who { name: String number: CitizenId }
  type Person { name: String number: String }
  type Subject { id: String kind: String person: Person }
  type Query { who(who: Who!): Subject company(code: String): Subject }`);
const requirements = new Map([
  ['Query.who', ['p.lookup']],
  ['Person.name', ['p.name']],
  ['Person.number', ['p.number']],
  ['Subject.kind', ['p.kind']],
]);
const NUMBER = '120101190001010016';
const variables = { w: { name: '张样例', number: NUMBER }, c: 'x', yes: true };
const read = (query: string) => readLookups(query, schema, requirements);

describe('a fetch of root fields', () => {
  it('that looks nobody up is none of ours', () => {
    expect(read('query ($c: String) { company(code: $c) { id } }')).toBeNull();
  });

  it.each([
    'query ($w: Who!, $c: String) { company(code: $c) { id } a: who(who: $w) { person { name } } b: who(who: $w) { kind } }',
    'query ($w: Who!, $c: String, $yes: Boolean!) { ... @include(if: $yes) { company(code: $c) { id } a: who(who: $w) { ...F } } b: who(who: $w) { ...F } } fragment F on Subject { person { ...G } } fragment G on Person { name }',
  ])('is parted into what each department’s validation takes: %s', (query) => {
    const lookups = read(query);
    const parts = [
      lookups?.rest,
      lookups?.whole,
      lookups?.probe,
      ...(lookups?.fields ?? []).map((one) => one.operation),
    ];
    const documents = parts.map((part): DocumentNode => parse(part?.without(new Set()).query ?? ''));
    expect(documents.flatMap((document) => validate(schema, document))).toEqual([]);
    expect(lookups?.rest?.topKeys).toEqual(['company']);
    expect(lookups?.fields.map(({ key, items }) => [key, items])).toEqual([
      ['a', ['p.lookup']],
      ['b', ['p.lookup']],
    ]);
    expect(lookups?.probe.items).toEqual(['p.lookup']);
    expect(lookups?.fields[0]?.numbers(variables)).toEqual([NUMBER]);
  });

  it('reads a number beside a variable that has only its default', () => {
    const query = `query ($n: String = "张", $i: CitizenId) { who(who: { name: $n, number: $i }) { id } }`;
    expect(read(query)?.fields[0]?.numbers({ i: NUMBER })).toEqual([NUMBER]);
    expect(read(query)?.fields[0]?.numbers({})).toEqual([]);
  });

  it('that asks one field twice, under two conditions, is one look-up', () => {
    const query = `query ($w: Who!, $yes: Boolean!) { ... @include(if: $yes) { who(who: $w) { id } } ... @skip(if: $yes) { who(who: $w) { person { name } } } }`;
    expect(read(query)?.fields).toHaveLength(1);
  });
});

const GROUND: Allowed = {
  effect: 'allow',
  reason: 'CONSENT',
  item: 'p.lookup',
  id: 'i',
  basis: [],
  by: 'c1',
};

describe('looking up', () => {
  const QUERY = 'query ($w: Who!) { a: who(who: $w) { id person { name number } } }';
  const ID = `P-${NUMBER}`;
  const answer = (data: SubgraphAnswer['data'], errors: SubgraphAnswer['errors'] = []): SubgraphAnswer => ({
    data,
    errors,
    maxAge: [],
  });

  /** `found` is what the department answers to the first question; `denied` what may not be seen of the person. */
  async function look(
    found: SubgraphAnswer,
    denied: Readonly<Record<string, Denied['reason']>>,
    query = QUERY,
  ) {
    const asked: { query: string; items: readonly string[] }[] = [];
    let decided = 0;
    let relied = 0;
    const trail = createTrail();
    const persons = createPersonLookups({
      facts: { schema, requirements },
      personOf: (citizenId) => `P-${citizenId}`,
    });
    const ports: LookupPorts = {
      groupByDenied(_, entries) {
        decided += 1;
        const decisions = Object.entries(denied).map(([item, reason]): [string, Denied] => [
          item,
          { effect: 'deny', item, id: item, basis: [], reason, told: reason },
        ]);
        const decidedEntries = entries.map((entry) => ({ ...entry, grounds: [GROUND], seesExpired: false }));
        return Promise.resolve([{ denied: new Map(decisions), entries: decidedEntries }]);
      },
      rely: (grounds) => void (relied += grounds.length),
      ask(text, items) {
        asked.push({ query: text.replace(/\s+/g, ' '), items });
        if (asked.length === 1) return Promise.resolve(found);
        return Promise.resolve(answer({ a: { id: ID, person: { name: '张样例' } } }));
      },
      toDenial: ({ item, reason }, path) => createError('FORBIDDEN', { path, extensions: { item, reason } }),
      onUnreachable: () => {},
    };
    const lookups = persons.of(readFetchOperation(query, schema, requirements));
    if (!lookups) throw new Error('holds no look-up');
    const { data, errors } = await persons.fetch({ trail }, lookups, variables, ports);
    return {
      data,
      codes: errors.map((error) => [error.path?.join('.'), error.extensions['code'] ?? error.message]),
      asked,
      decided,
      relied,
      denials: trail.denials,
    };
  }
  const FOUND = answer({ a: { __typename: 'Subject', id: ID } });
  const NOBODY = answer({ a: null });
  const REFUSED = {
    data: { a: null },
    codes: [['a', 'LOOKUP_REFUSED']],
    decided: 1,
    // A consent is not used up by a look-up that is refused.
    relied: 0,
    denials: [{ item: 'p.lookup', reason: 'LOOKUP_REFUSED', path: 'a' }],
  };

  it('does the same for whoever is not there and whoever may not be found: one question, one decision', async () => {
    const forbidden = await look(FOUND, { 'p.lookup': 'CONSENT_REQUIRED' });
    expect(forbidden).toMatchObject(REFUSED);
    expect(await look(NOBODY, {})).toEqual(forbidden);
    expect(await look(NOBODY, { 'p.lookup': 'CONSENT_REQUIRED' })).toEqual(forbidden);
    expect(forbidden.asked.map(({ query }) => query)).toEqual([
      'query ($w: Who!) { a: who(who: $w) { __typename id } }',
    ]);
  });

  it('asks of whoever may be found for what may be seen of them, and for nothing else', async () => {
    const { data, codes, asked, relied } = await look(FOUND, { 'p.number': 'CONSENT_REQUIRED' });
    expect(relied).toBe(1);
    expect(data).toEqual({ a: { id: ID, person: { name: '张样例' } } });
    expect(codes).toEqual([['a.person.number', 'FORBIDDEN']]);
    expect(asked[1]).toEqual({
      query: 'query ($w: Who!) { a: who(who: $w) { id person { name } } }',
      items: ['p.lookup', 'p.name'],
    });
  });

  it('asks no second time when nothing else may be seen', async () => {
    const query = 'query ($w: Who!) { a: who(who: $w) { person { name } } }';
    const { data, codes, asked } = await look(FOUND, { 'p.name': 'CONSENT_REQUIRED' }, query);
    expect([data, codes]).toEqual([
      { a: { __typename: 'Subject', id: ID } },
      [['a.person.name', 'FORBIDDEN']],
    ]);
    expect(asked).toHaveLength(1);
  });

  it('takes a department’s failure for unknown, whoever it was about', async () => {
    for (const denied of [{}, { 'p.lookup': 'CONSENT_REQUIRED' } as const]) {
      const failed = await look(answer({ a: null }, [{ message: 'no answer', path: ['a'] }]), denied);
      expect([failed.data, failed.codes]).toEqual([{ a: null }, [['a', 'no answer']]]);
      const silent = await look(answer(null, [{ message: 'no answer' }]), denied);
      expect([silent.data, silent.codes]).toEqual([{ a: null }, [[undefined, 'no answer']]]);
    }
  });

  it('never takes another person for the one who was asked about', async () => {
    const { data, codes } = await look(answer({ a: { __typename: 'Subject', id: 'P-somebody-else' } }), {});
    expect([data, codes]).toEqual([{ a: null }, [['a', 'DEPARTMENT_UNAVAILABLE']]]);
  });

  it('leaves out what its condition leaves out, without a refusal', async () => {
    const { data, codes } = await look(answer({}), {});
    expect([data, codes]).toEqual([{}, []]);
  });
});
