/** Runs a plan by @apollo/gateway's executor: the fetches through our data sources, the answer under the plan's own keys. */
import type { Schema } from '@apollo/federation-internals';
import type { GraphQLDataSource } from '@apollo/gateway';
import { executeQueryPlan } from '@apollo/gateway';
import type { QueryPlan } from '@apollo/query-planner';
import type {
  DocumentNode,
  FragmentDefinitionNode,
  GraphQLError,
  GraphQLSchema,
  OperationDefinitionNode,
} from 'graphql';
import { Kind } from 'graphql';
import type { Logger } from 'pino';

export interface PlannedRun {
  readonly plan: QueryPlan;
  /** The document that was planned: one operation and its fragments, nothing of it about the schema itself. */
  readonly document: DocumentNode;
  readonly variables: Readonly<Record<string, unknown>>;
  /** Handed to the data sources. */
  readonly context: unknown;
}

export interface PlannedResult {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: readonly GraphQLError[];
  readonly extensions?: Readonly<Record<string, unknown>>;
}

export type ExecutePlan = (run: PlannedRun) => Promise<PlannedResult>;

export function createExecutePlan(options: {
  readonly supergraphSchema: GraphQLSchema;
  readonly apiSchema: Schema;
  readonly clientSchema: GraphQLSchema;
  readonly dataSources: ReadonlyMap<string, GraphQLDataSource>;
  readonly log: Logger;
}): ExecutePlan {
  const services = Object.fromEntries(options.dataSources);
  return async ({ plan, document, variables, context }) => {
    const fragments = document.definitions.filter(isFragment);
    const operation = document.definitions.find(isOperation);
    if (!operation) throw new Error('a document without an operation was to be run');
    const request = {
      request: { variables },
      context,
      logger: toApolloLogger(options.log),
      metrics: {},
      overallCachePolicy: {},
    };
    const facts = {
      schema: options.clientSchema,
      operation,
      fragments: Object.fromEntries(fragments.map((fragment) => [fragment.name.value, fragment])),
    };
    return (await executeQueryPlan(
      plan,
      services,
      request as never,
      facts,
      options.supergraphSchema,
      options.apiSchema,
    )) as PlannedResult;
  };
}

function isFragment(definition: DocumentNode['definitions'][number]): definition is FragmentDefinitionNode {
  return definition.kind === Kind.FRAGMENT_DEFINITION;
}

function isOperation(definition: DocumentNode['definitions'][number]): definition is OperationDefinitionNode {
  return definition.kind === Kind.OPERATION_DEFINITION;
}

/** The library's own words go to our log, one level lower: they speak of its inner life. */
function toApolloLogger(log: Logger) {
  return {
    debug: (message?: unknown) => log.trace(String(message)),
    info: (message?: unknown) => log.debug(String(message)),
    warn: (message?: unknown) => log.warn(String(message)),
    error: (message?: unknown) => log.error(String(message)),
  };
}
