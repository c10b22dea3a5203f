import { describe, expect, it } from '@jest/globals';
import { buildSchema, parse } from 'graphql';
import { NO_RULES, parseCatalogue } from '../../schema/catalogue.ts';
import type { Principal } from '../../schema/principal.ts';
import { explainOperation } from './explain.ts';
import { createRights } from './rights.ts';

const schema = buildSchema(`
  type Query { company: Company }
  type Company { name: String owner: String income: Income records: [Record!] }
  type Income { amount: Float year: Int }
  interface Record { text: String }
  type Open implements Record { text: String }
  type Closed implements Record { text: String }
`);
const requirements = new Map([
  ['Company.owner', ['tax.owner']],
  ['Company.income', ['tax.income']],
  ['Income.amount', ['tax.amount']],
  ['Closed.text', ['tax.closed']],
]);
const item = (id: string, use: readonly object[]) => ({
  id: `tax.${id}`,
  name: { zh: id, en: id },
  publicity: use.length === 0 ? 'PUBLIC' : 'NOT_PUBLIC',
  sharing: 'CONDITIONAL',
  use,
  basis: [`第${id}条`],
  category: 'service',
  sensitivity: 'L2',
  retention: 'P1D',
});
const { items } = parseCatalogue(
  {
    department: 'tax',
    name: { zh: '税务', en: 'Tax' },
    version: '1',
    updateCycle: 'P1D',
    maxAge: 'PT1M',
    items: [
      item('owner', [{ principals: ['bank'], mask: 'name' }]),
      item('income', [{ principals: ['bank'], requires: 'CONSENT' }]),
      item('amount', []),
      item('closed', [{ principals: ['department'] }]),
    ],
  },
  'test',
);
const rules = { ...NO_RULES, catalogue: new Map(items.map((one) => [one.id, { ...one, version: '1' }])) };
const bank: Principal = { kind: 'bank', id: 'b', purpose: 'LOAN_ORIGINATION', subjects: [] };
const explain = (query: string) =>
  explainOperation(schema, createRights(rules, requirements, bank), parse(query)).map(
    ({ path, effect, detail, basis }) => [path, effect, detail, basis.join('')],
  );

describe('an explanation', () => {
  it('says of each leaf what would be decided, and on which basis', () => {
    expect(explain('{ c: company { name owner } }')).toEqual([
      ['c.name', 'open', null, ''],
      ['c.owner', 'mask', 'name', '第owner条'],
    ]);
  });

  it('counts what the fields above need', () => {
    expect(explain('{ company { income { amount year } } }')).toEqual([
      ['company.income.amount', 'with-consent', null, '第income条第amount条'],
      ['company.income.year', 'with-consent', null, '第income条'],
    ]);
  });

  it('needs the rights of every implementation for a field of an interface', () => {
    expect(explain('{ company { records { text ... on Open { open: text } } } }')).toEqual([
      ['company.records.text', 'deny', 'NOT_GRANTED', '第closed条'],
      ['company.records.open', 'open', null, ''],
    ]);
  });

  it('explains a fragment where it stands', () => {
    expect(explain('{ company { ...F } } fragment F on Company { owner }')).toEqual([
      ['...F.owner', 'mask', 'name', '第owner条'],
    ]);
  });
});
