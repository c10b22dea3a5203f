/** What all requests to departments have in common, and the errors of those that were not answered. */
import type { GraphQLSchema } from 'graphql';
import { GraphQLError } from 'graphql';
import type { Logger } from 'pino';
import { createError } from '../../schema/errors.ts';
import type { Requirements } from '../supergraph/load.ts';
import type { EntityCache } from './entity-cache.ts';
import type { GatewayScope } from './request-scope.ts';
import type { SubgraphErrorBody, Transport } from './transport.ts';

/** What a fetch needs of the supergraph. */
export interface GraphFacts {
  readonly schema: GraphQLSchema;
  readonly requirements: Requirements;
  readonly hash: string;
}

export interface DataSourceOptions {
  readonly facts: GraphFacts;
  readonly transport: Transport;
  readonly cache: EntityCache;
  /** Told of each fetch of entities: how many the cache had, and how many the subgraph was asked for. */
  readonly observeCache: (subgraph: string, hits: number, misses: number) => void;
  /** SubjectId of the person with this ID number; null: the gateway has no keys, and nobody is looked up. */
  readonly personOf: ((citizenId: string) => string) | null;
  readonly log: Logger;
}

/** What every request to a department says of its asker. */
export function toRequest(scope: GatewayScope, items: readonly string[]) {
  return { principal: scope.principal, items, signal: scope.signal, deadline: scope.deadline };
}

export function unreachable(path: readonly (string | number)[]): GraphQLError {
  return createError('DEPARTMENT_UNAVAILABLE', { path });
}

/** An error of a subgraph, at its place in what it answered. Of a graph without policies clients are told whose it is. */
export function toGraphQLError(
  { message, extensions }: SubgraphErrorBody,
  path: readonly (string | number)[],
  serviceName: string,
): GraphQLError {
  return new GraphQLError(message, {
    ...(path.length > 0 ? { path } : {}),
    extensions: { code: 'DOWNSTREAM_SERVICE_ERROR', ...extensions, serviceName },
  });
}
