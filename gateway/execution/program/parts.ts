/** Steps of one plan → what is asked together, with everything prepared that can be before anything is known. */
import type { GraphQLSchema } from 'graphql';
import type { FetchOperation } from '../fetch-operation.ts';
import type { Places } from './places.ts';
import { createPlaces } from './places.ts';
import type { Representations } from './representation.ts';
import { createRepresentations } from './representation.ts';
import type { RewriteOutput } from './rewrites.ts';
import { createOutputRewrite } from './rewrites.ts';
import type { Step } from './steps.ts';

export interface PreparedStep {
  readonly step: Step;
  readonly fetch: FetchOperation;
  readonly places: Places;
  /** Null for root fields. */
  readonly represent: Representations | null;
  readonly rewrite: RewriteOutput | null;
  /** The same for steps that ask the same of the same representations: of those each entity is asked for once. */
  readonly kind: string;
  /**
   * Who gets a copy of an entity of its own, because something else may be merged into it there: each target, the targets of
   * each step, or nobody.
   */
  readonly copies: 'targets' | 'steps' | 'none';
}

export function prepareSteps(
  steps: readonly Step[],
  schema: GraphQLSchema,
  readFetch: (query: string) => FetchOperation,
): ReadonlyMap<Step, PreparedStep> {
  const fetches = new Map<string, FetchOperation>();
  const fetchOf = (query: string) => {
    const known = fetches.get(query) ?? readFetch(query);
    fetches.set(query, known);
    return known;
  };
  const kinds = steps.map(kindOf);
  return new Map(
    steps.map((step, at) => {
      const fetch = fetchOf(step.query);
      const isAlone = kinds.filter((kind) => kind === kinds[at]).length === 1;
      const prepared: PreparedStep = {
        step,
        fetch,
        places: createPlaces(step.path),
        represent: step.requires && createRepresentations(step.requires, step.inputRewrites, schema),
        rewrite: createOutputRewrite(step.outputRewrites, schema),
        kind: kinds[at] ?? '',
        copies: copiesOf(step, fetch, isAlone),
      };
      return [step, prepared];
    }),
  );

  function copiesOf(step: Step, fetch: FetchOperation, isAlone: boolean): PreparedStep['copies'] {
    if (fetch.compositeKeys.length === 0) return 'none';
    if (steps.some((other) => meets(step, other))) return 'targets';
    return isAlone ? 'none' : 'steps';
  }

  /** Another step at the same place that brings an object under the same key: what it merges there may differ by target. */
  function meets(step: Step, other: Step): boolean {
    if (other === step || other.path.join('\0') !== step.path.join('\0')) return false;
    const own = fetchOf(step.query).compositeKeys;
    return fetchOf(other.query).compositeKeys.some((key) => own.includes(key));
  }
}

/** The name of the operation in the fetch's text differs from fetch to fetch, and says nothing. */
function kindOf({ subgraph, query, requires, inputRewrites, outputRewrites }: Step): string {
  const text = query.replace(/^(query|mutation)\s+[_A-Za-z]\w*/, '$1');
  return JSON.stringify([subgraph, text, requires, inputRewrites, outputRewrites]);
}
