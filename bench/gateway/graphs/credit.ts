/** A register of companies, five departments that know a block each, and an assessment that requires all five. */
import { parseCatalogue } from '../../../schema/catalogue.ts';
import type { BenchGraph, BenchSubgraph } from './graph.ts';

/** Each: the block's field and its subgraph. Two of them are for the bank, what the others know is public. */
const DEPARTMENTS = ['tax', 'courts', 'market', 'insurance', 'environment'] as const;
const FOR_BANKS: readonly string[] = ['tax', 'insurance'];

/** As of when departments speak; those that say LATER instead are the same ones otherwise. */
export const USUAL = '2026-11-01';
export const LATER = '2026-11-02';

interface Block {
  readonly score?: number | null;
}
type Company = { readonly id: string } & Readonly<Record<(typeof DEPARTMENTS)[number], Block | null>>;

const numberOf = (id: string) => Number(id.slice(-5));
const companyOf = (code: string) => ({
  id: `O-${code}`,
  code,
  name: `津信样本企业${code}有限公司`,
  status: numberOf(code) % 7 === 0 ? '注销' : '存续',
});

function toDepartment(name: (typeof DEPARTMENTS)[number], at: number): BenchSubgraph {
  const type = `${name[0]?.toUpperCase() ?? ''}${name.slice(1)}`;
  const policy = `@policy(policies: [["credit.${name}"]])`;
  return {
    name,
    sdl: `type Company @key(fields: "id") { id: ID!  ${name}: ${type} }
      type ${type} {
        status: String! ${policy}
        asOf: String ${policy}
        score: Int
        records: [${type}Record!] ${policy}
      }
      type ${type}Record { id: ID!  title: String  on: String  amount: Float }`,
    resolvers: {
      Company: {
        __resolveReference: ({ id }: { id: string }) => ({ id }),
        [name]: ({ id }: { id: string }) => ({
          status: 'OK',
          asOf: USUAL,
          score: (numberOf(id) * (at + 3)) % 100,
          records: [1, 2, 3].map((n) => ({
            id: `${id}-${name}-${n}`,
            title: `${name} record ${n} of ${id}`,
            on: `2026-0${n}-17`,
            amount: n * 1_000.5,
          })),
        }),
      },
    },
  };
}

export const credit: BenchGraph = {
  name: 'credit',
  subgraphs: [
    {
      name: 'register',
      sdl: `type Query { company(code: String!): Company  companies(codes: [String!]!): [Company]! }
        type Company @key(fields: "id") { id: ID!  code: String!  name: String  status: String }`,
      resolvers: {
        Query: {
          company: (_: unknown, { code }: { code: string }) => companyOf(code),
          companies: (_: unknown, { codes }: { codes: readonly string[] }) => codes.map(companyOf),
        },
        Company: { __resolveReference: ({ id }: { id: string }) => companyOf(id.slice(2)) },
      },
    },
    ...DEPARTMENTS.map(toDepartment),
    {
      name: 'assessment',
      sdl: `type Company @key(fields: "id") {
          id: ID!
          ${DEPARTMENTS.map((name) => `${name}: ${name[0]?.toUpperCase() ?? ''}${name.slice(1)} @external`).join('\n')}
          assessment: Assessment @requires(fields: "${DEPARTMENTS.map((name) => `${name} { score }`).join(' ')}")
        }
        ${DEPARTMENTS.map((name) => `type ${name[0]?.toUpperCase() ?? ''}${name.slice(1)} { score: Int @external }`).join('\n')}
        type Assessment { score: Int!  grade: String!  complete: Boolean! }`,
      resolvers: {
        Company: {
          __resolveReference: (company: Company) => company,
          assessment: (company: Company) => {
            const scores = DEPARTMENTS.flatMap((name) => company[name]?.score ?? []);
            const score = scores.reduce((sum, one) => sum + one, 0);
            return { score, grade: score > 250 ? 'A' : 'B', complete: scores.length === DEPARTMENTS.length };
          },
        },
      },
    },
  ],
  catalogue: parseCatalogue(
    {
      department: 'credit',
      name: { zh: '信用', en: 'Credit' },
      version: 'bench',
      updateCycle: 'P1D',
      maxAge: 'PT10M',
      items: DEPARTMENTS.map((name) => ({
        id: `credit.${name}`,
        name: { zh: name, en: name },
        category: 'administrative',
        ...(FOR_BANKS.includes(name)
          ? {
              publicity: 'NOT_PUBLIC',
              sharing: 'CONDITIONAL',
              use: [{ principals: ['bank'], purposes: ['LOAN_ORIGINATION'] }],
            }
          : { publicity: 'PUBLIC', sharing: 'UNCONDITIONAL' }),
        basis: ['bench'],
        sensitivity: 'L1',
        retention: 'P1825D',
      })),
    },
    'bench/gateway/graphs/credit.ts',
  ),
};

const BLOCK = '{ status asOf score records { id title on amount } }';
const BLOCKS = DEPARTMENTS.map((name) => `${name} ${BLOCK}`).join('\n    ');

export const CHECK_QUERY = `query Check($code: String!) {
  company(code: $code) {
    code
    name
    status
    ${BLOCKS}
    assessment { score grade complete }
  }
}`;
export const POINT_QUERY = `query Point($code: String!) { company(code: $code) { code name tax { status score } } }`;
export const MANY_QUERY = `query Many($codes: [String!]!) {
  companies(codes: $codes) {
    code
    name
    ${BLOCKS}
  }
}`;
export { BLOCK, DEPARTMENTS };
