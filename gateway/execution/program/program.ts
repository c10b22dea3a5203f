/**
 * A plan, compiled: what each fetch asks, of which entities, where its answer goes. Nothing is looked up in a schema when it
 * runs, each entity is asked for once, and what visits one department on one level is one request.
 */
import type { QueryPlan } from '@apollo/query-planner';
import type { GraphQLSchema } from 'graphql';
import { GraphQLError } from 'graphql';
import type { FetchOperation } from '../fetch-operation.ts';
import { copyDeeply } from '../frozen.ts';
import { toBatches } from './batches.ts';
import type { Part } from './gather.ts';
import { gather } from './gather.ts';
import { createMerge } from './merge.ts';
import type { Data } from './own.ts';
import type { PreparedStep } from './parts.ts';
import { prepareSteps } from './parts.ts';
import { createSchedule } from './schedule.ts';
import type { Step } from './steps.ts';
import { readSteps } from './steps.ts';

type Path = readonly (string | number)[];

/** Root fields of one subgraph. */
export interface RootAsk {
  readonly subgraph: string;
  readonly fetch: FetchOperation;
  readonly variables: Data;
}

export interface RootAnswer {
  readonly data: Record<string, unknown>;
  /** With paths from the root. */
  readonly errors: readonly GraphQLError[];
}

/** Entities of one kind; each representation once, as JSON text. */
export interface EntitiesAsk {
  readonly fetch: FetchOperation;
  readonly representations: readonly string[];
  readonly variables: Data;
}

export interface EntitiesAnswer {
  /** In the order of the representations; whoever asked may change them. */
  readonly entities: readonly (Record<string, unknown> | null)[];
  readonly errors: readonly EntityError[];
}

export interface EntityError {
  /** Position of its representation. */
  readonly at: number;
  /** With its path from the entity. */
  readonly error: GraphQLError;
}

/** Asks departments, for one request. Neither method rejects because a department failed. */
export interface Fetch {
  root(ask: RootAsk): Promise<RootAnswer>;
  entities(subgraph: string, asks: readonly EntitiesAsk[]): Promise<readonly EntitiesAnswer[]>;
}

export interface ProgramRun {
  readonly fetch: Fetch;
  /** As the client sent them, under the names of the planned document. */
  readonly variables: Data;
  /** `performance.now()` at which the request's time is up. */
  readonly deadline: number;
}

export interface Program {
  /** The answer under the plan's own keys, and errors with paths in it. */
  run(run: ProgramRun): Promise<{ readonly data: Data; readonly errors: readonly GraphQLError[] }>;
}

/** One error of a department may stand at many places of the answer. */
const MOST_PATHS = 1_000;

/** `schema`: of the supergraph, inaccessible types included. */
export function createProgram(
  plan: QueryPlan,
  schema: GraphQLSchema,
  readFetch: (query: string) => FetchOperation,
): Program {
  const steps = readSteps(plan);
  const prepared = prepareSteps(steps, schema, readFetch);
  const schedule = createSchedule(toBatches(steps));
  const merge = createMerge(schema);
  const stepOf = (step: Step) => prepared.get(step) as PreparedStep;

  return {
    async run({ fetch, variables, deadline }) {
      const data: Record<string, unknown> = {};
      const errors: GraphQLError[] = [];
      await schedule.run({
        deadline,
        start: ([first, ...others]) =>
          first?.requires === null
            ? fetchRoot(stepOf(first))
            : fetchEntities([...(first ? [first] : []), ...others].map(stepOf)),
      });
      return { data, errors };

      async function fetchRoot({ step, fetch: operation, rewrite }: PreparedStep): Promise<void> {
        const answer = await fetch.root({
          subgraph: step.subgraph,
          fetch: operation,
          variables: pick(variables, step.variables),
        });
        rewrite?.(answer.data, undefined);
        merge(data, answer.data);
        errors.push(...answer.errors);
      }

      async function fetchEntities(together: readonly PreparedStep[]): Promise<void> {
        const parts = gather(together, data);
        const [some] = parts;
        if (!some) return;
        const answers = await fetch.entities(
          some.leader.step.subgraph,
          parts.map(({ leader, texts }) => ({
            fetch: leader.fetch,
            representations: texts,
            variables: pick(variables, leader.step.variables),
          })),
        );
        parts.forEach((part, at) => {
          const answer = answers[at];
          if (!answer) throw new Error('a fetch was left without an answer');
          for (const { at: position, error } of answer.errors)
            errors.push(...placeError(error, part, position, data));
          answer.entities.forEach((entity, position) => {
            if (entity) place(entity, part, position);
          });
        });
      }

      /** Whoever needs a copy of its own gets one of the entity as it came. */
      function place(entity: Record<string, unknown>, { leader, places }: Part, position: number): void {
        if (leader.rewrite) leader.rewrite(entity, typenameAt(places, position));
        let isTaken = false;
        for (const { targets } of places) {
          let own: Record<string, unknown> | null = null;
          for (const target of targets[position] ?? []) {
            if (own === null || leader.copies === 'targets')
              own = isTaken && leader.copies !== 'none' ? copyDeeply(entity) : entity;
            isTaken = true;
            merge(target, own);
          }
        }
      }
    },
  };
}

function typenameAt(places: Part['places'], position: number): unknown {
  for (const { targets } of places) for (const target of targets[position] ?? []) return target['__typename'];
  return undefined;
}

/** The error at every place where its entity stands. */
function placeError(
  error: GraphQLError,
  { places }: Part,
  position: number,
  data: Data,
): readonly GraphQLError[] {
  const paths: Path[] = [];
  for (const { prepared, targets } of places)
    for (const target of targets[position] ?? [])
      if (paths.length < MOST_PATHS)
        paths.push(...prepared.places.pathsTo(data, target, MOST_PATHS - paths.length));
  return paths.map(
    (path) =>
      new GraphQLError(error.message, {
        path: [...path, ...(error.path ?? [])],
        extensions: error.extensions,
      }),
  );
}

/** What the client did not send is left out: the fetch has defaults of its own. */
function pick(variables: Data, names: readonly string[]): Data {
  if (names.length === 0) return NONE;
  return Object.fromEntries(
    names.flatMap((name) =>
      Object.hasOwn(variables, name) && variables[name] !== undefined ? [[name, variables[name]]] : [],
    ),
  );
}

const NONE: Data = {};
