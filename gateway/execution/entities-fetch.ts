/**
 * Entities of one department: decided, looked for in the cache, and asked for. All that may disclose the same travels in one
 * request, whichever fetch of the plan it is for.
 */
import type { GraphQLError } from 'graphql';
import { dayInChina } from '../../schema/china-time.ts';
import type { Denied } from '../authorization/decision.ts';
import { dropExpired } from './adverse-records.ts';
import type { DataSourceOptions } from './fetch-request.ts';
import { toGraphQLError, toRequest, unreachable } from './fetch-request.ts';
import type { DecidedEntry, Group, Representation } from './disclosure-groups.ts';
import { groupByDenied, noteGrounds, subjectOf, toDenial, withNobody } from './disclosure-groups.ts';
import type { EntityResult, Loaded } from './entity-cache.ts';
import type { CutOperation } from './fetch-operation.ts';
import { copyDeeply } from './frozen.ts';
import { createJointQueries } from './joint-query.ts';
import type { EntitiesAnswer, EntitiesAsk, EntityError } from './program/program.ts';
import type { GatewayScope } from './request-scope.ts';
import { noteAnswered, noteUnreachable } from './request-scope.ts';
import { statusesIn } from './statuses.ts';
import type { SubgraphAnswer, SubgraphErrorBody } from './transport.ts';
import { SubgraphUnreachableError } from './transport.ts';

type Entity = Record<string, unknown>;

/** Representations of one fetch that may disclose the same. */
interface Share {
  readonly position: number;
  readonly ask: EntitiesAsk;
  readonly cut: CutOperation;
  readonly denied: ReadonlyMap<string, Denied>;
  readonly items: readonly string[];
  readonly entries: readonly DecidedEntry[];
}

export function createEntitiesFetch(options: Omit<DataSourceOptions, 'personOf'>) {
  const { transport, cache, facts, log } = options;
  const jointQueryOf = createJointQueries();

  return async function fetchEntities(
    scope: GatewayScope,
    subgraph: string,
    asks: readonly EntitiesAsk[],
  ): Promise<readonly EntitiesAnswer[]> {
    const entities = asks.map(({ representations }) =>
      new Array<Entity | null>(representations.length).fill(null),
    );
    const errors = asks.map((): EntityError[] => []);
    const decided = await Promise.all(asks.map((ask) => decide(scope, ask)));
    const shares = decided.flatMap((groups, position) =>
      groups.map((group) => toShare(asks[position] as EntitiesAsk, position, group)),
    );
    await Promise.all(
      [...bySameDenials(shares)].map(async (together) => {
        const results = await fetchTogether(scope, subgraph, together);
        for (const [at, share] of together.entries()) settle(share, results[at] ?? []);
      }),
    );
    return asks.map((_, at) => ({ entities: entities[at] ?? [], errors: errors[at] ?? [] }));

    function settle({ position, cut, denied, entries }: Share, results: readonly EntityResult[]): void {
      entries.forEach(({ at }, index) => {
        const result = results[index];
        (entities[position] as (Entity | null)[])[at] = result?.entity ?? null;
        const add = (error: GraphQLError) => errors[position]?.push({ at, error });
        for (const error of result?.errors ?? []) add(toGraphQLError(error, error.path ?? [], subgraph));
        for (const { item, path } of cut.cut)
          add(toDenial(scope, denied.get(item) ?? withNobody(scope, item), path));
      });
    }
  };

  async function decide(scope: GatewayScope, { fetch, representations }: EntitiesAsk) {
    if (fetch.items.length === 0)
      return [{ denied: NOTHING_DENIED, entries: representations.map((text, at) => toUndecided(text, at)) }];
    const groups = await groupByDenied(
      scope,
      fetch,
      representations.map((text, at) => ({ text, at, representation: JSON.parse(text) as Representation })),
    );
    for (const { entries } of groups) for (const { grounds } of entries) noteGrounds(scope, grounds);
    return groups;
  }

  /** One request for all of them. The answers are in their order, and each in that of its entries. */
  async function fetchTogether(
    scope: GatewayScope,
    subgraph: string,
    shares: readonly Share[],
  ): Promise<readonly (readonly EntityResult[])[]> {
    const open = shares.filter(({ cut }) => cut.query !== null);
    const found = await find(scope, subgraph, open);
    return shares.map((share) => {
      const { fetch } = share.ask;
      const results =
        found[open.indexOf(share)] ?? share.entries.map(() => ({ entity: nothing(share), errors: [] }));
      return results.map((result, at) => {
        const complete = { entity: fill(toOwn(result.entity), fetch.topKeys), errors: result.errors };
        return fetch.holdsRecords && !share.entries[at]?.seesExpired ? withoutExpired(complete) : complete;
      });
    });
  }

  /** What the cache has, and from the department what it has not: for each share its results. */
  async function find(
    scope: GatewayScope,
    subgraph: string,
    shares: readonly Share[],
  ): Promise<readonly (readonly EntityResult[])[]> {
    if (shares.length === 0) return [];
    if (!cache.keeps)
      return load(
        scope,
        subgraph,
        shares.map((share) => ({ share, texts: share.entries.map(({ text }) => text) })),
        0,
      );
    const places = shares.flatMap((share) => {
      const about = cache.digest([facts.hash, share.cut.query, share.ask.variables]);
      return share.entries.map((entry) => ({ share, entry, about }));
    });
    let asked = 0;
    const found = await cache.getMany({
      subgraph,
      representations: places.map(({ entry }) => entry.text),
      abouts: places.map(({ about }) => about),
      subjects: places.map(({ entry }) => subjectOf(toRepresentation(entry))),
      asker: scope.asker,
      async load(misses) {
        asked += misses.length;
        const missed = new Map<Share, number[]>();
        for (const at of misses) {
          const { share } = places[at] as (typeof places)[number];
          missed.set(share, [...(missed.get(share) ?? []), at]);
        }
        const lists = [...missed];
        const loaded = await load(
          scope,
          subgraph,
          lists.map(([share, own]) => ({ share, texts: own.map((at) => places[at]?.entry.text ?? '') })),
          places.length - misses.length,
        );
        const byPosition = new Map(
          lists.flatMap(([, own], list) => own.map((at, index) => [at, loaded[list]?.[index]] as const)),
        );
        return misses.map((at) => byPosition.get(at) as Loaded);
      },
    });
    options.observeCache(subgraph, places.length - asked, asked);
    if (asked === 0)
      noteAnswered(scope.trail, {
        subgraph,
        cached: places.length,
        asked: 0,
        statuses: shares.some(({ ask }) => ask.fetch.items.length > 0)
          ? statusesIn(found.map(({ entity }) => entity))
          : [],
      });
    let next = 0;
    return shares.map(({ entries }) => found.slice(next, (next += entries.length)));
  }

  /** Asks the department, once for all where that can be. */
  async function load(
    scope: GatewayScope,
    subgraph: string,
    wanted: readonly Wanted[],
    cached: number,
  ): Promise<readonly (readonly Loaded[])[]> {
    const joint = jointQueryOf(wanted.map(({ share }) => share.cut));
    if (!joint) {
      // Fragments that are spread in them: each is asked for on its own.
      const each = await Promise.all(wanted.map((one) => load(scope, subgraph, [one], 0)));
      return each.flat();
    }
    const variables: Record<string, unknown> = {};
    const representations = new Map<string, readonly string[]>();
    const items = new Set<string>();
    wanted.forEach(({ share, texts }, at) => {
      Object.assign(variables, share.ask.variables);
      representations.set(joint.parts[at]?.variable ?? '', texts);
      for (const item of share.items) items.add(item);
    });
    try {
      const answer = await transport.send(subgraph, {
        ...toRequest(scope, [...items]),
        query: joint.query,
        variables,
        representations,
      });
      noteAnswered(scope.trail, {
        subgraph,
        cached,
        asked: wanted.reduce((sum, { texts }) => sum + texts.length, 0),
        statuses: items.size > 0 ? statusesIn(answer.data) : [],
      });
      let from = 0;
      return wanted.map(({ share, texts }, at) => {
        const to = from + texts.length;
        const read = readEntities(answer, share, { key: joint.parts[at]?.key ?? '', from, to });
        from = to;
        return read;
      });
    } catch (error) {
      if (!(error instanceof SubgraphUnreachableError)) throw error;
      noteUnreachable(scope.trail, subgraph);
      log.warn({ err: error, subgraph }, 'a subgraph could not be reached');
      return wanted.map(({ share, texts }) =>
        texts.map(() => ({
          entity: nothing(share),
          errors: unreachableBodies(share.ask.fetch.topKeys),
          maxAge: 0,
        })),
      );
    }
  }
}

/** Some of a share, as representations. */
interface Wanted {
  readonly share: Share;
  readonly texts: readonly string[];
}

const NOTHING_DENIED: ReadonlyMap<string, Denied> = new Map();

const toUndecided = (text: string, at: number): DecidedEntry => ({
  text,
  at,
  representation: NO_REPRESENTATION,
  grounds: [],
  seesExpired: false,
});
const NO_REPRESENTATION: Representation = {};

/** Where nothing was to be decided it was not read yet. */
const toRepresentation = ({ representation, text }: DecidedEntry): Representation =>
  representation === NO_REPRESENTATION ? (JSON.parse(text) as Representation) : representation;

function toShare(ask: EntitiesAsk, position: number, { denied, entries }: Group): Share {
  return {
    ask,
    position,
    cut: ask.fetch.without(denied.size === 0 ? NO_ITEMS : new Set(denied.keys())),
    denied,
    items: denied.size === 0 ? ask.fetch.items : ask.fetch.items.filter((item) => !denied.has(item)),
    entries,
  };
}
const NO_ITEMS: ReadonlySet<string> = new Set();

/** What may not disclose the same never travels together: the department checks one list of items for a whole request. */
function bySameDenials(shares: readonly Share[]): Iterable<readonly Share[]> {
  const groups = new Map<string, Share[]>();
  for (const share of shares) {
    const key = [...share.denied.keys()].sort().join(' ');
    const group = groups.get(key);
    if (group) group.push(share);
    else groups.set(key, [share]);
  }
  return groups.values();
}

/** `key`: of its entities in the answer; `from`, `to`: its place among all that were asked for. */
function readEntities(
  { data, errors, maxAge, grace }: SubgraphAnswer,
  share: Share,
  { key, from, to }: { readonly key: string; readonly from: number; readonly to: number },
): readonly Loaded[] {
  const count = to - from;
  const list = data?.[key];
  const isUsable = Array.isArray(list) && list.length === count;
  const own: (SubgraphErrorBody[] | undefined)[] = [];
  const general: SubgraphErrorBody[] = [];
  for (const error of errors) {
    const [first, at, ...rest] = error.path ?? [];
    if (first === key && typeof at === 'number') (own[at] ??= []).push({ ...error, path: rest });
    // It says of nothing in particular what is wrong; of another part of the request it is that part's.
    else if (first === undefined || first === key || !isPart(first, data))
      general.push({ ...error, path: [] });
  }
  return Array.from({ length: count }, (_, at) => {
    const ownErrors = own[at] ?? [];
    const isSilent = !isUsable && ownErrors.length + general.length === 0;
    const all = isSilent ? unreachableBodies(share.ask.fetch.topKeys) : [...ownErrors, ...general];
    return {
      entity: isUsable ? (list[at] as Entity | null) : nothing(share),
      errors: all,
      maxAge: all.length > 0 ? 0 : (maxAge[from + at] ?? 0),
      grace: grace?.[from + at],
    };
  });
}

const isPart = (key: string | number, data: SubgraphAnswer['data']): boolean =>
  data !== null && Object.hasOwn(data, key);

function nothing({ ask }: Share): Entity {
  return Object.fromEntries(ask.fetch.topKeys.map((key) => [key, null]));
}

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

/** What others hold as well is frozen: what is merged into is one's own. */
const toOwn = (entity: EntityResult['entity']): Entity | null =>
  entity !== null && Object.isFrozen(entity) ? copyDeeply(entity as Entity) : entity;

/** What was cut or not answered is null, never absent. */
function fill(entity: Entity | null, keys: readonly string[]): Entity | null {
  if (entity !== null) for (const key of keys) if (entity[key] === undefined) entity[key] = null;
  return entity;
}

function unreachableBodies(keys: readonly string[]): SubgraphErrorBody[] {
  return keys.map((key) => {
    const { message, extensions } = unreachable([key]);
    return { message, extensions, path: [key] };
  });
}
