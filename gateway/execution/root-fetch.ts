/** Root fields of one department: those by which persons are looked up have a subject before they are answered, the others none. */
import { dayInChina } from '../../schema/china-time.ts';
import { dropExpired } from './adverse-records.ts';
import type { DataSourceOptions } from './fetch-request.ts';
import { toGraphQLError, toRequest, unreachable } from './fetch-request.ts';
import { groupByDenied, noteGrounds, toDenial, withNobody } from './disclosure-groups.ts';
import type { FetchOperation } from './fetch-operation.ts';
import type { PersonLookups } from './person-lookup.ts';
import type { Data } from './program/own.ts';
import type { RootAnswer, RootAsk } from './program/program.ts';
import type { GatewayScope } from './request-scope.ts';
import { noteAnswered, noteUnreachable } from './request-scope.ts';
import { statusesIn } from './statuses.ts';
import { SubgraphUnreachableError } from './transport.ts';

export function createRootFetch(
  { transport, log }: Pick<DataSourceOptions, 'transport' | 'log'>,
  persons: PersonLookups | null,
) {
  return async function fetchRoot(
    scope: GatewayScope,
    { subgraph, fetch, variables }: RootAsk,
  ): Promise<RootAnswer> {
    const lookups = persons?.of(fetch);
    if (!persons || !lookups) return fetchSubjectless(scope, subgraph, fetch, variables);
    const [rest, found] = await Promise.all([
      lookups.rest ? fetchSubjectless(scope, subgraph, lookups.rest, variables) : { data: {}, errors: [] },
      persons.fetch(scope, lookups, variables, {
        async ask(query, items) {
          const answer = await transport.send(subgraph, { ...toRequest(scope, items), query, variables });
          noteAnswered(scope.trail, { subgraph, cached: 0, asked: 1, statuses: [] });
          return answer;
        },
        groupByDenied: (whole, entries) => groupByDenied(scope, whole, entries),
        rely: (grounds) => noteGrounds(scope, grounds),
        toDenial: (decision, path) => toDenial(scope, decision, path),
        onUnreachable: (error) => onUnreachable(scope, subgraph, error),
      }),
    ]);
    return { data: { ...rest.data, ...found.data }, errors: [...rest.errors, ...found.errors] };
  };

  /** What can only be decided with a subject is not disclosed by a fetch that has none. */
  async function fetchSubjectless(
    scope: GatewayScope,
    subgraph: string,
    fetch: FetchOperation,
    variables: Data,
  ): Promise<RootAnswer> {
    const denied = new Set(fetch.items.filter((item) => scope.rights.ofItem(item).effect !== 'allow'));
    const { query, cut } = fetch.without(denied);
    // Without a subject nothing speaks for it: what asks for consent or self is denied as to a stranger.
    const denials = cut.map(({ item, path }) => toDenial(scope, withNobody(scope, item), path));
    const nothing = () => Object.fromEntries(fetch.topKeys.map((key) => [key, null]));
    if (query === null) return { data: nothing(), errors: denials };
    const items = denied.size === 0 ? fetch.items : fetch.items.filter((item) => !denied.has(item));
    try {
      const { data, errors } = await transport.send(subgraph, {
        ...toRequest(scope, items),
        query,
        variables,
      });
      noteAnswered(scope.trail, {
        subgraph,
        cached: 0,
        asked: 1,
        statuses: fetch.items.length > 0 ? statusesIn(data) : [],
      });
      const published =
        data && fetch.holdsRecords ? dropExpired({ ...data }, dayInChina(Date.now())).value : data;
      return {
        data: published ? published : nothing(),
        errors:
          denials.length + errors.length === 0
            ? NONE
            : [...denials, ...errors.map((error) => toGraphQLError(error, error.path ?? [], subgraph))],
      };
    } catch (error) {
      if (!(error instanceof SubgraphUnreachableError)) throw error;
      onUnreachable(scope, subgraph, error);
      return {
        data: nothing(),
        errors: [...denials, ...fetch.topKeys.map((key) => unreachable([key]))],
      };
    }
  }

  function onUnreachable({ trail }: GatewayScope, subgraph: string, error: SubgraphUnreachableError): void {
    noteUnreachable(trail, subgraph);
    log.warn({ err: error, subgraph }, 'a subgraph could not be reached');
  }
}

const NONE: readonly never[] = [];
