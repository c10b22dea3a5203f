/** The whole platform in one process: embedded PostgreSQL, simulators, departments, gateway. For laptops, tests, benches. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { systemClock } from '../adapters/clock.ts';
import { startEmbeddedPostgres } from '../adapters/postgres/embedded.ts';
import { readConfig } from '../gateway/config.ts';
import type { RunningGateway } from '../gateway/serve.ts';
import { serveGateway } from '../gateway/serve.ts';
import { loadPlatformKeys } from '../schema/keys.ts';
import type { PersonaName } from '../schema/sandbox-tokens.ts';
import { issueSandboxToken } from '../schema/sandbox-tokens.ts';
import type { Registration } from '../simulators/population/registrations.ts';
import { generatePopulation, readPopulation } from '../simulators/population/registrations.ts';
import type { RunningSimulators } from '../simulators/start.ts';
import { startSimulators } from '../simulators/start.ts';
import { discoverDepartments } from '../subgraphs/discover.ts';
import { createMetrics } from '../subgraphs/metrics.ts';
import { serveSubgraphs } from '../subgraphs/serve.ts';

const ROOT = join(import.meta.dirname, '..');

export interface SandboxOptions {
  readonly port: number;
  /** A CSV of registrations; without it a synthetic population of `scale` companies is made up. */
  readonly population?: string | undefined;
  readonly scale: number;
  readonly seed: string;
  readonly faultRate: number;
  readonly latencyMs: number;
  readonly log: Logger;
  /** Called when a step of the start begins (null), and when it is done. */
  readonly onStep?: (step: string, milliseconds: number | null) => void;
  /** A PostgreSQL that is there already: URL of a database by its name. */
  readonly postgres?: (database: string) => Promise<string>;
  /** JINXIN_… variables on top. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface Sandbox {
  readonly url: string;
  readonly population: readonly Registration[];
  readonly simulators: RunningSimulators;
  /** Department → address of its subgraph. */
  readonly subgraphUrls: Readonly<Record<string, string>>;
  readonly gateway: RunningGateway;
  readonly metrics: ReturnType<typeof createMetrics>;
  /** Where the audit log lies: URL of its database, file of its published heads. */
  readonly audit: { readonly platformUrl: string; readonly heads: string };
  token(persona: PersonaName): Promise<string>;
  close(): Promise<void>;
}

export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { log, seed } = options;
  const closers: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const one of closers.splice(0).reverse())
      await one().catch((error: unknown) =>
        log.warn({ err: error }, 'a part of the sandbox did not close in order'),
      );
  };
  async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
    const startedAt = performance.now();
    options.onStep?.(name, null);
    const result = await work();
    options.onStep?.(name, performance.now() - startedAt);
    return result;
  }

  try {
    const postgres = options.postgres ?? (await step('PostgreSQL 数据库', () => openPostgres(closers)));
    const population = await step('population 企业名录', () =>
      options.population === undefined
        ? Promise.resolve(generatePopulation({ size: options.scale, seed }))
        : readPopulation(options.population),
    );
    const simulators = await step('departmental systems 部门系统（模拟）', () =>
      startSimulators({
        population,
        seed,
        clock: systemClock,
        log,
        latencyMs: options.latencyMs,
        faultRate: options.faultRate,
        postgres,
      }),
    );
    closers.push(() => simulators.close());
    const audit = { platformUrl: await postgres('platform'), heads: await findHeadsFile(options, closers) };
    const environment: Record<string, string> = {
      JINXIN_PLATFORM_URL: audit.platformUrl,
      JINXIN_AUDIT_HEADS: audit.heads,
      JINXIN_ENVIRONMENT: 'sandbox',
      JINXIN_CONSENT_SANDBOX_GRANTS: 'bank-a:LOAN_ORIGINATION',
      JINXIN_ISSUER: 'sandbox',
      JINXIN_SIGN: 'true',
      JINXIN_INTROSPECTION: 'authenticated',
      JINXIN_CATALOGUE: join(ROOT, 'schema/catalogue.json'),
      ...simulators.environment,
      ...options.environment,
    };
    const keys = loadPlatformKeys(environment);
    const metrics = createMetrics();
    const subgraphs = await step('department subgraphs 部门子图', async () =>
      serveSubgraphs({
        departments: await discoverDepartments(),
        listen: { host: '127.0.0.1', port: 0 },
        environment,
        gatewayKey: keys.gatewayPublicKey,
        subjectIds: keys.subjectIds,
        clock: systemClock,
        observer: metrics.observer,
        log,
        softDeadlineMs: Number(environment['JINXIN_SOFT_DEADLINE_MS'] ?? 2_000),
      }),
    );
    closers.push(() => subgraphs.close());
    const config = readConfig(
      { ...environment, JINXIN_SUBGRAPHS_URL: `http://127.0.0.1:${subgraphs.port}` },
      { supergraph: join(ROOT, 'schema/supergraph.graphql'), listen: `127.0.0.1:${options.port}` },
    );
    const gateway = await step('gateway 网关', () =>
      serveGateway(config, { log, registry: metrics.registry }),
    );
    closers.push(() => gateway.close());
    return {
      url: gateway.url,
      population,
      simulators,
      subgraphUrls: subgraphs.urls,
      gateway,
      metrics,
      audit,
      token: (persona) => issueSandboxToken(persona, keys.subjectIds),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Heads of a database that is thrown away are thrown away with it, unless a file was named. */
async function findHeadsFile(
  { environment }: SandboxOptions,
  closers: (() => Promise<unknown>)[],
): Promise<string> {
  const named = environment?.['JINXIN_AUDIT_HEADS'];
  if (named !== undefined) return named;
  const folder = await mkdtemp(join(tmpdir(), 'jinxin-audit-'));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'heads.jsonl');
}

async function openPostgres(closers: (() => Promise<unknown>)[]) {
  const server = await startEmbeddedPostgres();
  closers.push(() => server.stop());
  return (database: string) => server.createDatabase(database);
}
