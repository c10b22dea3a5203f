/**
 * The gateway's stages without its front door, put together in this process as gateway/serve.ts does, so that a harness can
 * take the entity cache away, empty it or share it, and can run a copy of the gateway with one line changed.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { pino } from 'pino';
import type * as entityCacheModule from '../../../gateway/execution/entity-cache.ts';
import type * as dataSourceModule from '../../../gateway/execution/data-source.ts';
import type { EntityCache } from '../../../gateway/execution/entity-cache.ts';
import type { Transport } from '../../../gateway/execution/transport.ts';
import type * as gatewayModule from '../../../gateway/gateway.ts';
import type { Supergraph } from '../../../gateway/supergraph/load.ts';
import type * as personsModule from '../../../gateway/persons.ts';
import type * as loadModule from '../../../gateway/supergraph/load.ts';
import { NOTHING_REGISTERED } from '../../../gateway/operations/registered.ts';
import { DEFAULT_LIMITS } from '../../../gateway/limits/operation-limits.ts';
import { readCatalogueFile } from '../../../schema/catalogue.ts';
import { principalSchema } from '../../../schema/principal.ts';
import type { CanaryDepartments } from './departments.ts';
import type { Asker } from './oracle.ts';

export interface GatewayModules {
  readonly createGateway: (typeof gatewayModule)['createGateway'];
  readonly createPersons: (typeof personsModule)['createPersons'];
  readonly loadSupergraph: (typeof loadModule)['loadSupergraph'];
  readonly createDataSource: (typeof dataSourceModule)['createDataSource'];
  readonly createEntityCache: (typeof entityCacheModule)['createEntityCache'];
  readonly createNoCache: (typeof entityCacheModule)['createNoCache'];
}

export interface Question {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly operationName: string | null;
}

export interface GatewayCore {
  /** The answer as the bytes that would leave. */
  ask(asker: Asker, question: Question): Promise<string>;
  close(): Promise<void>;
}

/** The gateway's modules under `root`: this house's, or a copy's. */
export async function loadGatewayModules(root: string): Promise<GatewayModules> {
  const load = async <T>(file: string) =>
    (await import(pathToFileURL(join(root, 'gateway', file)).href)) as T;
  // One after the other: loaders that link modules for tests do not take several graphs at a time.
  const { createGateway } = await load<typeof gatewayModule>('gateway.ts');
  const { createPersons } = await load<typeof personsModule>('persons.ts');
  const { loadSupergraph } = await load<typeof loadModule>('supergraph/load.ts');
  const { createDataSource } = await load<typeof dataSourceModule>('execution/data-source.ts');
  const { createEntityCache, createNoCache } =
    await load<typeof entityCacheModule>('execution/entity-cache.ts');
  return {
    createGateway,
    createPersons,
    loadSupergraph,
    createDataSource,
    createEntityCache,
    createNoCache,
  };
}

export async function createGatewayCore(
  modules: GatewayModules,
  options: {
    supergraph: string;
    catalogue: string;
    transport: Transport;
    cache: EntityCache;
    /** The name that a subgraph's data source is given, where it is not its own. */
    nameOf?: (subgraph: string) => string;
  },
): Promise<GatewayCore> {
  const log = pino({ level: 'silent' });
  const supergraph: Supergraph = await modules.loadSupergraph(options.supergraph, { log });
  const { nameOf = (name: string) => name } = options;
  const dataSource = modules.createDataSource({
    facts: {
      schema: supergraph.fullSchema,
      requirements: supergraph.requirements,
      hash: supergraph.hash,
    },
    transport: options.transport,
    cache: options.cache,
    observeCache: () => undefined,
    personOf: null,
    log,
  });
  const gateway = modules.createGateway({
    supergraph,
    rules: readCatalogueFile(options.catalogue, 'the harness’s catalogue'),
    // Ids at the edge and looking persons up are other parts' to judge: they would make each consumer's answer another one.
    subjectIds: null,
    digestKey: new Uint8Array(32),
    persons: modules.createPersons({
      schema: supergraph.apiSchema,
      subjectIds: null,
      takeLookups: () => Promise.resolve(),
      quantumMs: 1,
    }),
    transport: options.transport,
    dataSource: (scope) => {
      const fetch = dataSource(scope);
      return {
        root: (ask) => fetch.root({ ...ask, subgraph: nameOf(ask.subgraph) }),
        entities: (subgraph, asks) => fetch.entities(nameOf(subgraph), asks),
      };
    },
    // Records and receipts are other parts' to judge; the answers to a (warm) and a cold gateway would differ by them only.
    audit: { append: () => Promise.resolve(), close: () => Promise.resolve() },
    signature: null,
    takeRate: () => Promise.resolve(),
    registered: NOTHING_REGISTERED,
    limits: DEFAULT_LIMITS,
    introspection: 'authenticated',
    requestDeadlineMs: 60_000,
    log,
  });
  return {
    async ask(asker, question) {
      // When an answer must have left is for the front door, and no byte of it.
      const { leaveBy: _, ...answer } = await gateway({
        ...question,
        principal: principalSchema.parse(asker),
        consumer: asker.id,
        idempotencyKey: null,
        documentId: null,
        signal: new AbortController().signal,
        takes: { parts: false, events: false },
      });
      return JSON.stringify(answer);
    },
    close: () => supergraph.close(),
  };
}

/** The departments of the harness without a network between: what they say is still copied as bytes are. */
export function createDirectTransport(
  departments: CanaryDepartments,
  /** The department that answers for a data source's name, and the salt of its values. */
  route: (subgraph: string) => { readonly department: string; readonly salt: string },
): Transport {
  return {
    async send(subgraph, request) {
      const { department, salt } = route(subgraph);
      // Several turns of the loop, as a network takes: who asks at the same time must be able to meet it in flight.
      for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
      const representations = [...(request.representations ?? [])].map(([name, texts]): [string, unknown] => [
        name,
        texts.map((text) => JSON.parse(text) as unknown),
      ]);
      const body = {
        query: request.query,
        variables: { ...request.variables, ...Object.fromEntries(representations) },
      };
      const answer = JSON.parse(
        JSON.stringify(await departments.answer(department, body, request.principal.id, salt)),
      ) as Awaited<ReturnType<CanaryDepartments['answer']>>;
      return {
        data: answer.data ?? null,
        errors: (answer.errors ?? []) as never,
        maxAge: answer.extensions?.jinxin.maxAge ?? [],
      };
    },
    close: () => Promise.resolve(),
  };
}

/** One cache in whose place another can be put, or none. */
export function createExchangeableCache(modules: GatewayModules): EntityCache & {
  empty(): void;
  takeAway(): void;
} {
  const fresh = () =>
    modules.createEntityCache({ local: { entries: 500, bytes: 4 * 1024 * 1024 }, remote: null });
  let current: EntityCache = fresh();
  return {
    keeps: true,
    digest: (parts) => current.digest(parts),
    getMany: (fetch) => current.getMany(fetch),
    stats: () => current.stats(),
    empty() {
      current = fresh();
    },
    takeAway() {
      // Neither kept nor shared: whoever asks, asks the department.
      current = modules.createNoCache();
    },
  };
}
