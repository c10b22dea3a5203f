/** The composition root: Config → a gateway that listens. Every part is made here and handed to whoever needs it. */
import { hkdfSync, randomBytes } from 'node:crypto';
import type { Server } from 'node:https';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { createChangeJournal } from '../adapters/postgres/change-journal.ts';
import { followJournal } from '../adapters/postgres/journal-follower.ts';
import { migrate } from '../adapters/postgres/migrate.ts';
import { createPool } from '../adapters/postgres/pool.ts';
import { createOnce } from '../adapters/postgres/store.ts';
import type { Counters } from '../adapters/redis/counters.ts';
import { createCounters } from '../adapters/redis/counters.ts';
import { listenToBell } from '../adapters/redis/bell.ts';
import { createRedisStore } from '../adapters/redis/store.ts';
import { issueSandboxToken } from '../schema/sandbox-tokens.ts';
import type { Config } from './config.ts';
import { ConfigError } from './config.ts';
import type { AuditLog } from './evidence/audit-log.ts';
import { createAuditLog } from './evidence/audit-log.ts';
import { AUDIT_MIGRATIONS, makePartitions } from './evidence/audit-tables.ts';
import { createFileSink } from './evidence/head-sink.ts';
import type { EntityCache } from './execution/entity-cache.ts';
import { createEntityCache, createNoCache } from './execution/entity-cache.ts';
import type { KnownChanges } from './execution/known-changes.ts';
import { createKnownChanges, NO_CHANGES } from './execution/known-changes.ts';
import { createTransport } from './execution/transport.ts';
import type { SharedParts } from './generation.ts';
import { loadGeneration } from './generation.ts';
import { EXAMPLES } from './http/explorer/examples.ts';
import { createExplorer } from './http/explorer.ts';
import { createGatewayMetrics } from './http/metrics.ts';
import { createHttp } from './http/server.ts';
import { createAdmission } from './limits/admission.ts';
import { createUrgencies } from './limits/urgency.ts';
import { createLookupRates } from './limits/lookups.ts';
import { createTlsDoor } from './http/tls.ts';
import { NOBODY } from './identity/certificates.ts';
import { createIdentify } from './identity/identify.ts';
import { createKeyedRates, createRates } from './limits/rates.ts';
import { createKnownOperations } from './operations/known.ts';
import type { RegisteredOperations } from './operations/registered.ts';
import { createRegisteredOperations, NOTHING_REGISTERED } from './operations/registered.ts';
import { REGISTERED_MIGRATIONS } from './operations/registered-store.ts';
import { createGenerations } from './reload/generations.ts';
import { startReloading } from './reload/reload.ts';
import { createTransports } from './reload/transports.ts';
import type { GraphFiles, GraphTexts } from './reload/watch.ts';
import { readGraph } from './reload/watch.ts';
import { watchFile, watchUrl } from './reload/watched-text.ts';
import type { Supergraph } from './supergraph/load.ts';

export interface RunningGateway {
  readonly url: string;
  /** Stops taking requests, answers those in flight (at most `graceMs`), then lets go of everything. */
  close(graceMs?: number): Promise<void>;
}

/** How long a revoked certificate may still be taken. */
const TLS_RELOAD_MS = 10_000;
const MOST_CACHE_BYTES = 128 * 1024 * 1024;
/** Some 50 kB each, while departments take their time. */
const MOST_INSIDE = 4_000;
const MOST_KNOWN = { entries: 2_000, characters: 8 * 1024 * 1024 };
/** Without a bell that is heard; well within the second in which an announcement is to hold. */
const CHANGES_READ_MS = 400;

export async function serveGateway(
  config: Config,
  { log, registry }: { log: Logger; registry?: Registry },
): Promise<RunningGateway> {
  const closers: (() => Promise<unknown>)[] = [];
  const closeAll = async () => {
    for (const close of closers.splice(0).reverse())
      await close().catch((error: unknown) =>
        log.warn({ err: error }, 'a part of the gateway did not close in order'),
      );
  };
  try {
    const files: GraphFiles = {
      supergraph: isAddress(config.supergraph) ? watchUrl(config.supergraph) : watchFile(config.supergraph),
      catalogue: config.catalogueFile === null ? null : watchFile(config.catalogueFile),
    };
    const first = await readFirstGraph(files);
    const transports = createTransports((urls) =>
      createTransport({
        urls,
        signingKey: config.signingKey,
        connections: config.connectionsPerSubgraph,
      }),
    );
    const counters = createCounters({ url: config.redisUrl, secret: config.signingKey, log });
    closers.push(() => counters.close());
    const cache = openCache(config, log, closers);
    const metrics = createGatewayMetrics(registry);
    const registered = await openRegistered(config, log, closers);
    const known = createKnownOperations(MOST_KNOWN);
    let audit: AuditLog | null = null;
    const shared: SharedParts = {
      config,
      transports,
      cache,
      observeCache: metrics.observeCache,
      digestKey: toDigestKey(config),
      signature: config.receipts,
      takeRate: createRates(config.consumerRates, counters),
      takeLookups: lookupRatesOf(config, counters),
      registered,
      known,
      openAudit: async () => (audit ??= await openAudit(config, log, closers)),
      log,
    };
    const generations = createGenerations(await loadGeneration(first, shared), log);
    closers.push(() => generations.close());
    const reloading = startReloading({
      files,
      first,
      generations,
      load: (texts) => loadGeneration(texts, shared),
      known,
      registered: registered.texts,
      everyMs: config.supergraphPollMs,
      observe: (outcome, status) => metrics.observeSupergraph(outcome, status),
      log,
    });
    metrics.countGenerations(generations.open);
    closers.push(() => reloading.close());
    let isReady = false;
    const tls = config.tls && createTlsDoor(config.tls, { now: () => Date.now(), log });
    const app = createHttp({
      tls,
      identify: createIdentify(config.issuer, {
        now: () => Date.now(),
        elapsed: () => performance.now(),
        clients: tls?.clients ?? NOBODY,
        log,
      }),
      answer: generations.answer,
      isReady: () => isReady,
      supergraph: reloading.status,
      metrics: metrics.page,
      observe: metrics.observe,
      explorer: await explorerOf(config, generations.current().supergraph),
      overload: {
        admission: createAdmission({
          patienceMs: config.patienceMs,
          now: () => performance.now(),
          nextTurn: setImmediate,
          mostInside: MOST_INSIDE,
          onAdmitted: metrics.onAdmitted,
          onRefused: metrics.onRefused,
        }),
        urgencies: createUrgencies(),
      },
      bodyLimit: config.bodyLimit,
      log,
    });
    closers.push(() => app.close());
    const stopWatching = tls?.watch(app.server as unknown as Server, TLS_RELOAD_MS);
    closers.push(async () => stopWatching?.());
    await app.listen(config.listen);
    isReady = true;
    const address = app.server.address();
    const port = typeof address === 'object' && address ? address.port : config.listen.port;
    const host = config.listen.host.includes(':') ? `[${config.listen.host}]` : config.listen.host;
    return {
      url: `${config.tls ? 'https' : 'http'}://${host}:${port}/graphql`,
      async close(graceMs = 800) {
        isReady = false;
        const cut = setTimeout(() => app.server.closeAllConnections(), graceMs);
        await closeAll();
        clearTimeout(cut);
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

const isAddress = (supergraph: string) => /^https?:\/\//.test(supergraph);

function openCache(config: Config, log: Logger, closers: (() => Promise<unknown>)[]): EntityCache {
  const { cache, cacheEntries: entries, redisUrl, signingKey: sealingKey } = config;
  if (cache === 'off') return createNoCache();
  const changes = openChanges(config, log, closers);
  const remote =
    cache === 'local' || redisUrl === null ? null : createRedisStore({ url: redisUrl, sealingKey, log });
  if (remote) closers.push(() => remote.close());
  return createEntityCache({
    local: cache === 'redis' ? null : { entries, bytes: MOST_CACHE_BYTES },
    remote,
    changes,
  });
}

/** Changes are announced in the platform's database, and are known a second later: read, or nothing that is kept is used. */
function openChanges(
  { platformUrl: url, redisUrl }: Config,
  log: Logger,
  closers: (() => Promise<unknown>)[],
): KnownChanges {
  if (url === null) return NO_CHANGES;
  const pool = createPool({ url, max: 1, applicationName: 'jinxin-changes', statementTimeoutMs: 1_000, log });
  closers.push(() => pool.end());
  const journal = createChangeJournal(pool);
  // Others may be making tables as well: who starts does not wait for them, and uses nothing that is kept until it has read.
  const prepare = createOnce(() => journal.prepare());
  const read = (after: number) => prepare().then(() => journal.read(after));
  const changes = createKnownChanges(() => performance.now());
  const follower = followJournal({ journal: { read }, everyMs: CHANGES_READ_MS, onRead: changes.take, log });
  closers.push(() => follower.close());
  if (redisUrl !== null) {
    const bell = listenToBell(redisUrl, follower.wake);
    closers.push(() => bell.close());
  }
  return changes;
}

async function readFirstGraph(files: GraphFiles): Promise<GraphTexts> {
  try {
    return await readGraph(files);
  } catch (error) {
    throw new ConfigError([
      `--supergraph, --catalogue: ${error instanceof Error ? error.message : String(error)}`,
    ]);
  }
}

/** What is behind a policy is shown with a record or not at all: without a place for records the gateway does not start. */
async function openAudit(
  config: Config,
  log: Logger,
  closers: (() => Promise<unknown>)[],
): Promise<AuditLog> {
  if (config.platformUrl === null)
    throw new ConfigError([
      'JINXIN_PLATFORM_URL: the supergraph has policies, so the gateway needs a place for its audit log',
    ]);
  const { auditSuite: suite, auditHeads } = config;
  if (suite === null || (auditHeads === null && config.production))
    throw new ConfigError([
      'JINXIN_AUDIT_PRIVATE_KEY, JINXIN_AUDIT_HEADS: the audit log needs a key for its heads and a file to publish them to',
    ]);
  const pool: Pool = createPool({
    url: config.platformUrl,
    max: 3,
    applicationName: 'jinxin-audit',
    statementTimeoutMs: 2_000,
    log,
  });
  try {
    await migrate(pool, 'evidence', AUDIT_MIGRATIONS);
    await makePartitions(pool, new Date());
    const sink = createFileSink(auditHeads ?? (await temporaryHeads(log)));
    const audit = createAuditLog({ pool, suite, sink, log });
    closers.push(async () => {
      await audit.close();
      await pool.end();
    });
    return audit;
  } catch (error) {
    // A changed supergraph asks again.
    await pool.end();
    throw error;
  }
}

function lookupRatesOf({ lookups }: Config, counters: Counters) {
  return createLookupRates({
    perConsumer: createKeyedRates('lookups-consumer', lookups.perConsumerMinute, 60, counters),
    perPerson: createKeyedRates('lookups-person', lookups.perPersonHour, 3_600, counters),
    perConsumerAndPerson: createKeyedRates('lookups-both', lookups.perConsumerAndPersonHour, 3_600, counters),
  });
}

/** Without a place for them nothing is registered and nobody is held. */
async function openRegistered(
  { platformUrl: url }: Config,
  log: Logger,
  closers: (() => Promise<unknown>)[],
): Promise<RegisteredOperations> {
  if (url === null) return NOTHING_REGISTERED;
  const pool = createPool({
    url,
    max: 2,
    applicationName: 'jinxin-operations',
    statementTimeoutMs: 1_000,
    log,
  });
  closers.push(() => pool.end());
  await migrate(pool, 'operations', REGISTERED_MIGRATIONS);
  const registered = createRegisteredOperations({ pool, log });
  closers.push(() => registered.close());
  await registered.started;
  return registered;
}

/** Outside of production, where heads may be lost with this machine. */
async function temporaryHeads(log: Logger): Promise<string> {
  const file = join(await mkdtemp(join(tmpdir(), 'jinxin-audit-')), 'heads.jsonl');
  log.warn({ file }, 'JINXIN_AUDIT_HEADS is not set: heads of the audit log go to a temporary file');
  return file;
}

async function explorerOf(config: Config, supergraph: Pick<Supergraph, 'requirements'>) {
  const isSandbox = config.issuer.kind === 'sandbox' && config.subjectIds !== null;
  const defaultHeaders: Record<string, string> = {};
  // Only the sandbox hands out a token, and only its own.
  if (isSandbox && config.subjectIds)
    defaultHeaders['authorization'] = `Bearer ${await issueSandboxToken('bank-a', config.subjectIds)}`;
  return createExplorer({
    endpoint: '/graphql',
    title: '津信 Jinxin',
    defaultHeaders,
    examples: supergraph.requirements.size > 0 ? EXAMPLES : [],
  });
}

/** The same in every process of a platform, so that a request repeated at another one is the same request. */
function toDigestKey({ signingKey }: Config): Uint8Array {
  if (!signingKey) return randomBytes(32);
  const secret = signingKey.export({ type: 'pkcs8', format: 'der' });
  return new Uint8Array(hkdfSync('sha256', secret, '', 'jinxin request digest', 32));
}
