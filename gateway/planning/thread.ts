/**
 * The planning thread: validates, plans and introspects, which are the things that a small document can keep busy for
 * seconds. It has its own copy of the supergraph, answers one job after the other, and may be killed at any moment.
 */
import { operationFromDocument, Supergraph } from '@apollo/federation-internals';
import { QueryPlanner } from '@apollo/query-planner';
import {
  executeSync,
  GraphQLError,
  NoSchemaIntrospectionCustomRule,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import { readlinkSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { withScalars } from '../../schema/scalars.ts';
import { separateArguments } from './argument-requirements.ts';
import { postponeEarlyRequirements } from './early-requirements.ts';
import { repairPlan } from './repair-plan.ts';
import type { Job, Problem, ThreadReply, ThreadSettings } from './jobs.ts';

/** Of an introspection's answer: the whole of a large graph is about a tenth of it, aliases multiply. */
const MOST_INTROSPECTED = 4 * 1024 * 1024;
const MOST_PROBLEMS = 20;

const { sdl } = workerData as ThreadSettings;
// The main thread has validated it.
const supergraph = Supergraph.build(sdl, { validateSupergraph: false });
const apiSchema = supergraph.apiSchema();
const schema = withScalars(apiSchema.toGraphQLJSSchema());
// Fetches without fragments of their own can be asked for together (execution/joint-query.ts).
const requirements = separateArguments(sdl);
// Where requirements were separated, what is planned is no whole supergraph any more: it is not to be validated.
const planned =
  requirements.sdl === sdl ? supergraph : Supergraph.build(requirements.sdl, { validateSupergraph: false });
const everything = planned.schema.toGraphQLJSSchema();
const plannedApi = planned === supergraph ? apiSchema : planned.apiSchema();
const planner = new QueryPlanner(planned, { generateQueryFragments: false, reuseQueryFragments: false });

function answer(job: Job): ThreadReply {
  try {
    if (job.kind === 'validate') return toReply(findProblems(job.query, job.mayIntrospect));
    if (job.kind === 'plan') {
      const operation = operationFromDocument(plannedApi, parse(job.document, { noLocation: true }), {
        ...(job.operationName === null ? {} : { operationName: job.operationName }),
        // It was validated as the client wrote it, and rewritten by us.
        validate: false,
      });
      const plan = postponeEarlyRequirements(planner.buildQueryPlan(operation), {
        ...requirements,
        schema: everything,
      });
      return toReply(repairPlan(plan, requirements));
    }
    const { data, errors } = executeSync({
      schema,
      document: parse(job.document, { noLocation: true }),
      rootValue: {},
      variableValues: job.variables,
    });
    if (errors) return { kind: 'failed', message: errors.map(({ message }) => message).join('; ') };
    const json = JSON.stringify(data);
    return json.length > MOST_INTROSPECTED
      ? { kind: 'refused', limit: 'introspection' }
      : { kind: 'answered', json };
  } catch (error) {
    // The planner's own limits, its stack, and what it has no way for: an operation that cannot be planned.
    if (error instanceof GraphQLError || error instanceof RangeError)
      return { kind: 'refused', limit: 'planning' };
    return { kind: 'failed', message: error instanceof Error ? error.message : String(error) };
  }
}

function findProblems(query: string, mayIntrospect: boolean): readonly Problem[] {
  const rules = mayIntrospect ? specifiedRules : [...specifiedRules, NoSchemaIntrospectionCustomRule];
  return validate(schema, parse(query), rules, { maxErrors: MOST_PROBLEMS }).map((problem) => ({
    message: problem.message,
    positions: problem.positions ?? [],
    extensions: extensionsOf(problem),
  }));
}

/** Those of the error that a scalar's parser threw, whether graphql-js passed it on or wrapped it. */
function extensionsOf(problem: GraphQLError): Problem['extensions'] {
  const original = problem.originalError;
  const { extensions } = original instanceof GraphQLError ? original : problem;
  return typeof extensions['code'] === 'string' ? extensions : null;
}

function toReply(value: unknown): ThreadReply {
  return { kind: 'answered', json: JSON.stringify(value) };
}

function ownTask(): string | null {
  try {
    return `/proc/${readlinkSync('/proc/thread-self')}/schedstat`;
  } catch {
    return null;
  }
}

const tell = (reply: ThreadReply) => parentPort?.postMessage(reply);
parentPort?.on('message', (job: Job) => tell(answer(job)));
tell({ kind: 'started', task: ownTask() });
