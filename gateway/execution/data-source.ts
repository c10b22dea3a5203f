/**
 * What the executor asks for every fetch of a plan. Between the plan and the department stand, in this order:
 *
 * 1. authorization with the subject: representations are grouped by the items that they may disclose;
 * 2. the entity cache: facts, never a principal's view, so it stands behind authorization and before masking;
 * 3. the transport, for the misses only, each distinct representation once;
 * 4. a subgraph that fails leaves nulls and an error each, never nothing: what @requires it still runs, and can say that
 *    it could not find out (the stock executor drops a representation that lacks a required field).
 */
import type { GraphQLDataSource } from '@apollo/gateway';
import type { GraphQLSchema } from 'graphql';
import { GraphQLError } from 'graphql';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { dayInChina } from '../../schema/china-time.ts';
import { createError } from '../../schema/errors.ts';
import type { Requirements } from '../supergraph/load.ts';
import { dropExpired } from './adverse-records.ts';
import type { DecidedEntry, Representation } from './disclosure-groups.ts';
import { groupByDenied, noteGrounds, subjectOf, toDenial, withNobody } from './disclosure-groups.ts';
import type { EntityCache, EntityResult, Loaded } from './entity-cache.ts';
import type { CutOperation, FetchOperation } from './fetch-operation.ts';
import { readFetchOperation } from './fetch-operation.ts';
import { copyDeeply } from './frozen.ts';
import { createPersonLookups } from './person-lookup.ts';
import type { GatewayScope } from './request-scope.ts';
import { statusesIn } from './statuses.ts';
import type { SubgraphAnswer, SubgraphErrorBody, Transport } from './transport.ts';
import { SubgraphUnreachableError } from './transport.ts';

type Entity = Readonly<Record<string, unknown>>;
interface Answer {
  readonly data: Record<string, unknown> | null;
  readonly errors: GraphQLError[];
}

/** What a fetch needs of the supergraph; read when it runs, because data sources are made before the supergraph is. */
export interface GraphFacts {
  readonly schema: GraphQLSchema;
  readonly requirements: Requirements;
  readonly hash: string;
}

export function createDataSource(
  subgraph: string,
  options: {
    facts: () => GraphFacts;
    transport: Transport;
    cache: EntityCache;
    /** Told of each fetch of entities: how many the cache had, and how many the subgraph was asked for. */
    observeCache: (subgraph: string, hits: number, misses: number) => void;
    /** SubjectId of the person with this ID number; null: the gateway has no keys, and nobody is looked up. */
    personOf: ((citizenId: string) => string) | null;
    log: Logger;
  },
): GraphQLDataSource {
  // A fetch holds the literals of the client's operation: bounded in characters, not only in number.
  const operations = new LRUCache<string, FetchOperation>({
    max: 5_000,
    maxSize: MOST_CHARACTERS,
    sizeCalculation: (_, query) => query.length,
  });

  const persons =
    options.personOf && createPersonLookups({ facts: options.facts, personOf: options.personOf });

  function operationOf(query: string): FetchOperation {
    const known = operations.get(query);
    if (known) return known;
    const { schema, requirements } = options.facts();
    const operation = readFetchOperation(query, schema, requirements);
    operations.set(query, operation);
    return operation;
  }

  return {
    async process({ request, context }) {
      const scope = context as unknown as GatewayScope;
      const query = request.query ?? '';
      const operation = operationOf(query);
      const { representations, ...variables } = (request.variables ?? {}) as {
        representations?: readonly Representation[];
      } & Record<string, unknown>;
      const answer =
        operation.isEntities && representations
          ? await fetchEntities(scope, operation, representations, variables)
          : await fetchRoot(scope, operation, variables);
      // The executor's type wants formatted errors; it only passes them on.
      return { data: answer.data, ...(answer.errors.length > 0 ? { errors: answer.errors } : {}) } as never;
    },
  };

  /** Root fields that look persons up have a subject before they are answered; the others have none yet. */
  async function fetchRoot(
    scope: GatewayScope,
    operation: FetchOperation,
    variables: Entity,
  ): Promise<Answer> {
    const lookups = persons?.of(operation);
    if (!persons || !lookups) return fetchSubjectless(scope, operation, variables);
    const [rest, found] = await Promise.all([
      lookups.rest ? fetchSubjectless(scope, lookups.rest, variables) : { data: {}, errors: [] },
      persons.fetch(scope, lookups, variables, {
        async ask(query, items) {
          const request = { ...toRequest(scope, items), query, variables };
          const answer = await options.transport.send(subgraph, request);
          scope.trail.fetches.push({ subgraph, ok: true, cached: 0, asked: 1, statuses: [] });
          return answer;
        },
        groupByDenied: (whole, entries) => groupByDenied(scope, whole, entries),
        rely: (grounds) => noteGrounds(scope, grounds),
        toDenial: (decision, path) => toDenial(scope, decision, path),
        onUnreachable: (error) => noteUnreachable(scope, error),
      }),
    ]);
    return { data: { ...rest.data, ...found.data }, errors: [...rest.errors, ...found.errors] };
  }

  /** What can only be decided with a subject is not disclosed by a fetch that has none. */
  async function fetchSubjectless(
    scope: GatewayScope,
    operation: FetchOperation,
    variables: Entity,
  ): Promise<Answer> {
    const denied = new Set(operation.items.filter((item) => scope.rights.ofItem(item).effect !== 'allow'));
    const { query, cut } = operation.without(denied);
    // Without a subject nothing speaks for it: what asks for consent or self is denied as to a stranger.
    const errors = cut.map(({ item, path }) => toDenial(scope, withNobody(scope, item), path));
    if (query === null)
      return { data: Object.fromEntries(operation.topKeys.map((key) => [key, null])), errors };
    const items = operation.items.filter((item) => !denied.has(item));
    try {
      const answer = await options.transport.send(subgraph, { ...toRequest(scope, items), query, variables });
      scope.trail.fetches.push({
        subgraph,
        ok: true,
        cached: 0,
        asked: 1,
        statuses: statusesIn(answer.data),
      });
      return {
        data: answer.data
          ? operation.holdsRecords
            ? dropExpired({ ...answer.data }, dayInChina(Date.now())).value
            : { ...answer.data }
          : Object.fromEntries(operation.topKeys.map((key) => [key, null])),
        errors: [...errors, ...answer.errors.map((error) => toGraphQLError(error, error.path ?? []))],
      };
    } catch (error) {
      if (!(error instanceof SubgraphUnreachableError)) throw error;
      noteUnreachable(scope, error);
      return {
        data: Object.fromEntries(operation.topKeys.map((key) => [key, null])),
        errors: [...errors, ...operation.topKeys.map((key) => unreachable([key]))],
      };
    }
  }

  async function fetchEntities(
    scope: GatewayScope,
    operation: FetchOperation,
    representations: readonly Representation[],
    variables: Entity,
  ): Promise<Answer> {
    // The planner does not deduplicate: a list of a hundred reviews of two products sends a hundred representations.
    const distinct = new Map<string, { representation: Representation; positions: number[] }>();
    representations.forEach((representation, position) => {
      const key = JSON.stringify(representation);
      const entry = distinct.get(key);
      if (entry) entry.positions.push(position);
      else distinct.set(key, { representation, positions: [position] });
    });
    const groups = await groupByDenied(scope, operation, [...distinct.values()]);
    for (const { entries } of groups) for (const { grounds } of entries) noteGrounds(scope, grounds);
    const entities: (Entity | null)[] = representations.map(() => null);
    const errors: GraphQLError[] = [];

    await Promise.all(
      groups.map(async ({ denied, entries }) => {
        const cutOperation = operation.without(new Set(denied.keys()));
        const items = operation.items.filter((item) => !denied.has(item));
        const results = await fetchGroup(scope, operation, cutOperation, items, entries, variables);
        entries.forEach(({ positions }, at) => {
          const result = results[at];
          positions.forEach((position) => {
            // Each place gets an object of its own: later fetches are merged into it.
            entities[position] = copyDeeply(result?.entity ?? null);
            for (const error of result?.errors ?? [])
              errors.push(toGraphQLError(error, ['_entities', position, ...(error.path ?? [])]));
            for (const { item, path } of cutOperation.cut)
              errors.push(
                toDenial(scope, denied.get(item) ?? withNobody(scope, item), [
                  '_entities',
                  position,
                  ...path,
                ]),
              );
          });
        });
      }),
    );
    return { data: { _entities: entities }, errors };
  }

  async function fetchGroup(
    scope: GatewayScope,
    operation: FetchOperation,
    { query }: CutOperation,
    items: readonly string[],
    entries: readonly DecidedEntry[],
    variables: Entity,
  ): Promise<readonly EntityResult[]> {
    const nothing = () => Object.fromEntries(operation.topKeys.map((key) => [key, null]));
    if (query === null) return entries.map(() => ({ entity: nothing(), errors: [] }));
    const toComplete = (entity: Entity | null) => (entity === null ? null : fill(entity, operation.topKeys));
    let asked = 0;
    const found = await options.cache.getMany({
      subgraph,
      about: options.cache.digest([options.facts().hash, query, variables]),
      representations: entries.map(({ representation }) => JSON.stringify(representation)),
      subjects: entries.map(({ representation }) => subjectOf(representation)),
      asker: JSON.stringify(scope.principal),
      load(misses) {
        asked += misses.length;
        return ask(misses.map((at) => entries[at] as DecidedEntry));
      },
    });
    options.observeCache(subgraph, entries.length - asked, asked);
    if (asked === 0)
      scope.trail.fetches.push({
        subgraph,
        ok: true,
        cached: entries.length,
        asked: 0,
        statuses: statusesIn(found.map(({ entity }) => entity)),
      });
    return found.map(({ entity, errors }, at) =>
      operation.holdsRecords && !entries[at]?.seesExpired
        ? withoutExpired({ entity: toComplete(entity), errors })
        : { entity: toComplete(entity), errors },
    );

    async function ask(missing: readonly DecidedEntry[]): Promise<readonly Loaded[]> {
      const representations = missing.map(({ representation }) => representation);
      let answer: SubgraphAnswer;
      try {
        answer = await options.transport.send(subgraph, {
          ...toRequest(scope, items),
          query: query as string,
          variables: { ...variables, representations },
        });
        scope.trail.fetches.push({
          subgraph,
          ok: true,
          cached: entries.length - missing.length,
          asked: missing.length,
          statuses: statusesIn(answer.data),
        });
      } catch (error) {
        if (!(error instanceof SubgraphUnreachableError)) throw error;
        noteUnreachable(scope, error);
        return missing.map(() => ({
          entity: nothing(),
          errors: unreachableBodies(operation.topKeys),
          maxAge: 0,
        }));
      }
      const entities = answer.data?.['_entities'];
      const isUsable = Array.isArray(entities) && entities.length === missing.length;
      const orphans = answer.errors.filter(({ path }) => typeof path?.[1] !== 'number');
      return missing.map((_, at) => {
        const errors: SubgraphErrorBody[] = answer.errors
          .filter(({ path }) => path?.[0] === '_entities' && path[1] === at)
          .map((error) => ({ ...error, path: (error.path ?? []).slice(2) }));
        if (!isUsable && errors.length === 0 && orphans.length === 0)
          errors.push(...unreachableBodies(operation.topKeys));
        const general = orphans.map((error) => ({ ...error, path: [] }));
        return {
          entity: isUsable ? (entities[at] as Entity | null) : nothing(),
          errors: [...errors, ...general],
          maxAge: errors.length + general.length > 0 ? 0 : (answer.maxAge[at] ?? 0),
          grace: answer.grace?.[at],
        };
      });
    }
  }

  function noteUnreachable(scope: GatewayScope, error: SubgraphUnreachableError): void {
    scope.trail.fetches.push({ subgraph, ok: false, cached: 0, asked: 1, statuses: [] });
    options.log.warn({ err: error, subgraph }, 'a subgraph could not be reached');
  }
}

/** Of all fetches kept per subgraph; parsed, each takes some twenty bytes a character. */
const MOST_CHARACTERS = 2 * 1024 * 1024;

/** After the cache, and before anything else sees it: what is past its publication is nobody's to see. */
function withoutExpired({ entity, errors }: EntityResult): EntityResult {
  const published = dropExpired(entity, dayInChina(Date.now()));
  return {
    entity: published.value,
    errors: errors.flatMap((error) => {
      const path = published.toPath(error.path ?? []);
      return path ? [{ ...error, path: [...path] }] : [];
    }),
  };
}

function toRequest(scope: GatewayScope, items: readonly string[]) {
  return { principal: scope.principal, items, signal: scope.signal, deadline: scope.deadline };
}

/** What was cut or not answered is null, never absent. */
function fill(entity: Entity, keys: readonly string[]): Entity {
  const filled: Record<string, unknown> = { ...entity };
  for (const key of keys) if (filled[key] === undefined) filled[key] = null;
  return filled;
}

function unreachable(path: readonly (string | number)[]): GraphQLError {
  return createError('DEPARTMENT_UNAVAILABLE', { path });
}

function unreachableBodies(keys: readonly string[]): SubgraphErrorBody[] {
  return keys.map((key) => {
    const { message, extensions } = unreachable([key]);
    return { message, extensions, path: [key] };
  });
}

function toGraphQLError(
  { message, extensions }: SubgraphErrorBody,
  path: readonly (string | number)[],
): GraphQLError {
  return new GraphQLError(message, {
    ...(path.length > 0 ? { path } : {}),
    ...(extensions ? { extensions } : {}),
  });
}
