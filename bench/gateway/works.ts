/** What is asked: four operations, each with 64 variants of its variables. */
import { CHECK_QUERY, credit, MANY_QUERY, POINT_QUERY } from './graphs/credit.ts';
import type { BenchGraph } from './graphs/graph.ts';
import { DEEP_QUERY, shop } from './graphs/shop.ts';

export interface Work {
  readonly name: 'deep' | 'check' | 'point' | 'many';
  readonly title: string;
  readonly graph: BenchGraph;
  /** Ready to be sent. */
  readonly bodies: readonly string[];
  /** Levels at which entities are fetched. */
  readonly entityLevels: number;
}

const VARIANTS = 64;
const SUBJECTS = 100;

const codeOf = (number: number) => `MA9TYN${String(number).padStart(5, '0')}`;

export const WORKS: readonly [Work, Work, ...Work[]] = [
  toWork(
    'deep',
    'a deep graph (users, reviews, products, stock), answers of 80 kB',
    shop,
    DEEP_QUERY,
    3,
    (at) => ({
      shop: String(at).padStart(2, '0'),
    }),
  ),
  toWork(
    'check',
    'a bank’s check: one company, five departments, an assessment',
    credit,
    CHECK_QUERY,
    2,
    (at) => ({
      code: codeOf(at),
    }),
  ),
  toWork('point', 'a point query: one company, one department', credit, POINT_QUERY, 1, (at) => ({
    code: codeOf(at),
  })),
  toWork('many', '100 companies, five departments', credit, MANY_QUERY, 1, (at) => ({
    codes: Array.from({ length: SUBJECTS }, (_, n) => codeOf(at * SUBJECTS + n)),
  })),
];

function toWork(
  name: Work['name'],
  title: string,
  graph: BenchGraph,
  query: string,
  entityLevels: number,
  variablesOf: (variant: number) => object,
): Work {
  const operationName = `${name[0]?.toUpperCase() ?? ''}${name.slice(1)}`;
  const bodies = Array.from({ length: VARIANTS }, (_, at) =>
    JSON.stringify({ query, operationName, variables: variablesOf(at) }),
  );
  return { name, title, graph, bodies, entityLevels };
}
