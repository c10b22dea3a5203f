/** Supergraph and catalogue → everything that is made anew with them: what depends on neither is handed in and shared. */
import type { Logger } from 'pino';
import { NO_RULES, readCatalogueFile } from '../schema/catalogue.ts';
import type { Rules } from '../schema/catalogue.ts';
import { createRightsOf } from './authorization/rights.ts';
import type { Config } from './config.ts';
import type { AuditLog } from './evidence/audit-log.ts';
import { createDataSource } from './execution/data-source.ts';
import type { EntityCache } from './execution/entity-cache.ts';
import type { GatewayParts } from './gateway.ts';
import { createGateway, MOST_OPERATION_BYTES } from './gateway.ts';
import type { TakeLookups } from './limits/lookups.ts';
import type { KnownOperations } from './operations/known.ts';
import { createOperations } from './operations/prepare.ts';
import { createPersons } from './persons.ts';
import { RefusedGraphError } from './reload/refusals.ts';
import type { GraphGeneration } from './reload/reload.ts';
import type { Transports } from './reload/transports.ts';
import type { GraphTexts } from './reload/watch.ts';
import type { Supergraph } from './supergraph/load.ts';
import { loadSupergraph, readSubgraphUrls, SupergraphError } from './supergraph/load.ts';

export interface SharedParts extends Pick<
  GatewayParts,
  'digestKey' | 'signature' | 'takeRate' | 'registered' | 'log'
> {
  readonly config: Config;
  readonly transports: Transports;
  readonly cache: EntityCache;
  readonly observeCache: (subgraph: string, hits: number, misses: number) => void;
  readonly takeLookups: TakeLookups;
  readonly known: KnownOperations;
  /** For a supergraph with policies, without which nothing behind them is shown. */
  readonly openAudit: () => Promise<AuditLog>;
  readonly log: Logger;
}

/** Rejects with SupergraphError, CatalogueError, RefusedGraphError or ConfigError, and leaves nothing open then. */
export async function loadGeneration(
  { sdl, catalogue }: GraphTexts,
  shared: SharedParts,
): Promise<GraphGeneration> {
  const { config, cache, log } = shared;
  const rules = catalogue === null ? NO_RULES : readRules(catalogue, config.catalogueFile ?? 'the catalogue');
  const lease = shared.transports.lease(toUrls(readSubgraphUrls(sdl), config.subgraphsUrl));
  let loaded: Supergraph | null = null;
  try {
    const supergraph = await loadSupergraph(sdl, { log });
    loaded = supergraph;
    const { limits } = config;
    const prepare = createOperations({
      supergraph,
      limits,
      bytes: MOST_OPERATION_BYTES,
      known: shared.known,
    });
    const answer = createGateway({
      supergraph,
      rules,
      prepare,
      limits,
      transport: lease.transport,
      dataSource: createDataSource({
        facts: {
          schema: supergraph.fullSchema,
          requirements: supergraph.requirements,
          hash: supergraph.hash,
        },
        transport: lease.transport,
        cache,
        observeCache: shared.observeCache,
        personOf: config.subjectIds?.ofPerson ?? null,
        log,
      }),
      digestKey: shared.digestKey,
      signature: shared.signature,
      subjectIds: config.subjectIds,
      audit: supergraph.requirements.size > 0 ? await shared.openAudit() : null,
      persons: createPersons({
        schema: supergraph.apiSchema,
        subjectIds: config.subjectIds,
        takeLookups: shared.takeLookups,
        quantumMs: config.lookups.quantumMs,
      }),
      takeRate: shared.takeRate,
      registered: shared.registered,
      introspection: config.introspection,
      requestDeadlineMs: config.requestDeadlineMs,
      log,
    });
    return {
      hash: supergraph.hash,
      supergraph,
      rules,
      prepare,
      rightsOf: createRightsOf(rules, supergraph.requirements),
      answer,
      async close() {
        await supergraph.close();
        await lease.release();
      },
    };
  } catch (error) {
    await loaded?.close();
    await lease.release();
    throw error;
  }
}

function readRules(text: string, file: string): Rules {
  try {
    return readCatalogueFile(text, file);
  } catch (error) {
    throw error instanceof SyntaxError
      ? new RefusedGraphError('CATALOGUE', `${file} is not JSON (${error.message})`, error)
      : error;
  }
}

/** The subgraphs' addresses: the supergraph's own, or the same paths under one base. */
function toUrls(
  subgraphs: readonly { name: string; url: string }[],
  base: string | null,
): ReadonlyMap<string, string> {
  return new Map(
    subgraphs.map(({ name, url }) => {
      if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
        throw new SupergraphError(`subgraph ${name} has no address over HTTP (${url || 'none'})`);
      return [name, base === null ? url : new URL(new URL(url).pathname, base).href];
    }),
  );
}
