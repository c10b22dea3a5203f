/** Who is measured, and how each is started: in a process of its own, as its users would. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../adapters/postgres/free-port.ts';
import { renderCatalogueFile } from '../../schema/catalogue.ts';
import { loadPlatformKeys } from '../../schema/keys.ts';
import { issueSandboxToken } from '../../schema/sandbox-tokens.ts';
import type { BenchGraph } from './graphs/graph.ts';
import { composeGraph } from './graphs/graph.ts';
import type { BenchProcess } from './process.ts';
import { pinContestant, startProcess, untilAnswers } from './process.ts';
import type { StubKind } from './stubs/answers.ts';
import type { Subgraphs } from './subgraphs.ts';

export interface Contestant {
  readonly kind: ContestantKind;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly process: BenchProcess;
}

/** What a contestant needs of the bench. */
export interface Stage {
  readonly graph: BenchGraph;
  readonly subgraphs: Subgraphs;
  /** The folder whose node_modules holds other people's gateways. */
  readonly peers: string;
  /** For files of this stage's own. */
  readonly folder: string;
  /** PostgreSQL, for a gateway that has policies. */
  readonly platformUrl: string | null;
  readonly redisUrl: string | null;
}

const ROOT = join(import.meta.dirname, '../..');
const HERE = join(import.meta.dirname, 'contestants');

/** Nothing that a bench asks is refused for its size, its rate or its place in the queue; all are counted all the same. */
const WIDE = {
  JINXIN_PATIENCE_MS: '1000000',
  JINXIN_REQUESTS_PER_SECOND: '1000000',
  JINXIN_MOST_COST: '100000000',
  JINXIN_MOST_VALUES: '100000000',
};

/** Title, and how it is started; null: it has no such thing yet, and stands in the tables as "–". */
export const CONTESTANTS = {
  handwritten: { title: 'hand-written server', start: handwritten },
  jinxin: { title: 'Jinxin, bare', start: (stage: Stage, port: number) => jinxin(stage, port, {}) },
  jinxinFull: { title: 'Jinxin, full', start: jinxinFull },
  jinxinWarm: {
    title: 'Jinxin, bare, cache warm',
    start: (stage: Stage, port: number) => jinxin(stage, port, { stubs: 'hinted', cache: 'both' }),
  },
  jinxinCollapsing: { title: 'Jinxin, bare, collapsing', start: null },
  jinxinRedis: { title: 'Jinxin, bare, Redis only', start: jinxinRedis },
  apollo: {
    title: '@apollo/server + @apollo/gateway',
    start: (stage: Stage, port: number) => apollo(stage, port, 'stock'),
  },
  apolloUndici: {
    title: '@apollo/gateway, undici data source',
    start: (stage: Stage, port: number) => apollo(stage, port, 'undici'),
  },
  hiveRust: {
    title: 'Hive Gateway, Rust planner',
    start: (stage: Stage, port: number) => hive(stage, port, ['--hive-router-runtime']),
  },
  hive: { title: 'Hive Gateway, JavaScript', start: (stage: Stage, port: number) => hive(stage, port, []) },
  hiveRustCollapsing: { title: 'Hive Gateway, Rust planner, collapsing', start: hiveCollapsing },
} as const satisfies Record<string, { title: string; start: Start | null }>;
export type ContestantKind = keyof typeof CONTESTANTS;

interface Launch {
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}
type Start = (stage: Stage, port: number) => Launch | Promise<Launch>;

export async function startContestant(kind: ContestantKind, stage: Stage): Promise<Contestant> {
  const port = await freePort();
  const { title, start }: { title: string; start: Start | null } = CONTESTANTS[kind];
  if (!start) throw new Error(`${title}: there is no such thing to start`);
  const { args, headers = {}, ...rest } = await start(stage, port);
  const started = startProcess(args, { role: 'contestant', ...rest });
  const url = `http://127.0.0.1:${port}/graphql`;
  try {
    await untilAnswers(url, started);
    pinContestant(started);
  } catch (error) {
    await started.stop();
    throw error;
  }
  return { kind, url, headers: { 'content-type': 'application/json', ...headers }, process: started };
}

function handwritten({ graph, subgraphs }: Stage, port: number): Launch {
  const urls = Object.fromEntries(graph.subgraphs.map(({ name }) => [name, subgraphs.urlOf(name, 'plain')]));
  const main = join(import.meta.dirname, 'handwritten/main.ts');
  return { args: ['--import', 'tsx', main, String(port), JSON.stringify(urls)] };
}

async function jinxin(
  stage: Stage,
  port: number,
  options: { stubs?: StubKind; withPolicies?: boolean; cache?: 'off' | 'both' | 'redis' },
): Promise<Launch> {
  const file = await putSupergraph(stage, options);
  const listen = `127.0.0.1:${port}`;
  return {
    args: ['--import', 'tsx', 'gateway/main.ts', '--supergraph', file, '--listen', listen],
    environment: { ...WIDE, JINXIN_CACHE: options.cache ?? 'off' },
    cwd: ROOT,
  };
}

/** A bank with its token; every leaf of the departments behind a policy; metrics as ever; one trace in a hundred goes out. */
async function jinxinFull(stage: Stage, port: number): Promise<Launch> {
  if (stage.platformUrl === null) throw new Error('a gateway with policies needs a place for its records');
  const { args, ...rest } = await jinxin(stage, port, { withPolicies: true });
  const catalogue = join(stage.folder, 'catalogue.json');
  await writeFile(catalogue, renderCatalogueFile([stage.graph.catalogue]));
  const keys = loadPlatformKeys({ JINXIN_ENVIRONMENT: 'sandbox' });
  const token = await issueSandboxToken('bank-a', keys.subjectIds);
  return {
    ...rest,
    args: [...args, '--catalogue', catalogue],
    environment: {
      ...rest.environment,
      JINXIN_ENVIRONMENT: 'sandbox',
      JINXIN_ISSUER: 'sandbox',
      JINXIN_PLATFORM_URL: stage.platformUrl,
      JINXIN_INTROSPECTION: 'authenticated',
      OTEL_EXPORTER_OTLP_ENDPOINT: stage.subgraphs.collector,
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.01',
    },
    headers: { authorization: `Bearer ${token}`, 'jinxin-purpose': 'LOAN_ORIGINATION' },
  };
}

/** Nothing is kept in the process. */
async function jinxinRedis(stage: Stage, port: number): Promise<Launch> {
  if (stage.redisUrl === null) throw new Error('there is no Redis');
  const { environment, ...rest } = await jinxin(stage, port, { stubs: 'hinted', cache: 'redis' });
  return { ...rest, environment: { ...environment, REDIS_URL: stage.redisUrl } };
}

async function apollo(stage: Stage, port: number, client: 'stock' | 'undici'): Promise<Launch> {
  const file = await putSupergraph(stage);
  return {
    args: [join(HERE, 'apollo.mjs'), stage.peers, file, String(port), client],
    environment: { APOLLO_TELEMETRY_DISABLED: '1' },
  };
}

async function hive(stage: Stage, port: number, flags: readonly string[]): Promise<Launch> {
  const file = await putSupergraph(stage);
  const main = join(stage.peers, 'node_modules/@graphql-hive/gateway/dist/bin.js');
  return {
    args: [main, 'supergraph', file, '--host', '127.0.0.1', '--port', String(port), '--fork', '1', ...flags],
    cwd: stage.folder,
  };
}

async function hiveCollapsing(stage: Stage, port: number): Promise<Launch> {
  const config = join(stage.folder, 'hive-collapsing.config.mjs');
  await writeFile(config, 'export const gatewayConfig = { inboundInflightRequestDeduplication: true };\n');
  return hive(stage, port, ['--hive-router-runtime', '--config-path', config]);
}

async function putSupergraph(
  { folder, graph, subgraphs }: Stage,
  { stubs = 'plain', withPolicies = false }: { stubs?: StubKind; withPolicies?: boolean } = {},
): Promise<string> {
  const file = join(folder, `${stubs}${withPolicies ? '-policies' : ''}.graphql`);
  await writeFile(
    file,
    composeGraph(graph, (name) => subgraphs.urlOf(name, stubs), { withPolicies }),
  );
  return file;
}
