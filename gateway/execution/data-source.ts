/**
 * What a compiled plan asks departments through. Between the plan and a department stand, in this order:
 *
 * 1. authorization with the subject: representations are grouped by the items that they may disclose;
 * 2. the entity cache: facts, never a principal's view, so it stands behind authorization and before masking;
 * 3. the transport, for the misses only: one request for all that may disclose the same;
 * 4. a subgraph that fails leaves nulls and an error each, never nothing: what @requires it still runs, and can say that
 *    it could not find out.
 */
import { createEntitiesFetch } from './entities-fetch.ts';
import type { DataSourceOptions } from './fetch-request.ts';
import { createPersonLookups } from './person-lookup.ts';
import type { Fetch } from './program/program.ts';
import type { GatewayScope } from './request-scope.ts';
import { createRootFetch } from './root-fetch.ts';

/** The departments, as one request may ask them. */
export type DataSource = (scope: GatewayScope) => Fetch;

export function createDataSource(options: DataSourceOptions): DataSource {
  const { facts, personOf } = options;
  const root = createRootFetch(options, personOf && createPersonLookups({ facts, personOf }));
  const entities = createEntitiesFetch(options);
  return (scope) => ({
    root: (ask) => root(scope, ask),
    entities: (subgraph, asks) => entities(scope, subgraph, asks),
  });
}
