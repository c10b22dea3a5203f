/** Environment and arguments → one typed Config, parsed once; printed with its secrets masked. */
import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { isProduction, loadPlatformKeys } from '../schema/keys.ts';
import type { SubjectIds } from '../schema/subject-id.ts';
import { loadReceiptSuite } from '../schema/signatures/keys.ts';
import type { SignatureSuite } from '../schema/signatures/suite.ts';
import type { IssuerConfig } from './identity/tokens.ts';
import type { OperationLimits } from './limits/operation-limits.ts';
import { DEFAULT_LIMITS } from './limits/operation-limits.ts';

export interface Config {
  readonly production: boolean;
  readonly listen: { readonly host: string; readonly port: number };
  readonly supergraphFile: string;
  /** null: the graph has no policies, or nobody knows their items (then everything behind a policy is denied). */
  readonly catalogueFile: string | null;
  /** Base address of the subgraphs; null: each at the address that the supergraph names. */
  readonly subgraphsUrl: string | null;
  readonly issuer: IssuerConfig;
  /** Signs receipts; null: there are none. */
  readonly receipts: SignatureSuite | null;
  /** null: requests to subgraphs go unsigned. */
  readonly signingKey: KeyObject | null;
  readonly subjectIds: SubjectIds | null;
  /** PostgreSQL of the audit log; needed as soon as the graph has policies. */
  readonly platformUrl: string | null;
  readonly redisUrl: string | null;
  readonly introspection: 'everyone' | 'authenticated' | 'nobody';
  readonly bodyLimit: number;
  readonly requestDeadlineMs: number;
  readonly requestsPerSecond: number;
  readonly lookups: {
    readonly perConsumerMinute: number;
    readonly perPersonHour: number;
    readonly perConsumerAndPersonHour: number;
    readonly quantumMs: number;
  };
  readonly connectionsPerSubgraph: number;
  readonly cacheEntries: number;
  readonly limits: OperationLimits;
  readonly otlpEndpoint: string | null;
}

export class ConfigError extends Error {
  constructor(problems: readonly string[]) {
    super(`the gateway is not configured:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

const count = (fallback: number) => z.coerce.number().int().positive().default(fallback);

const environmentSchema = z.object({
  JINXIN_CATALOGUE: z.string().optional(),
  JINXIN_SUBGRAPHS_URL: z.url().optional(),
  JINXIN_ISSUER: z.string().default('none'),
  JINXIN_AUDIENCE: z.string().default('jinxin'),
  JINXIN_JWKS_URI: z.url().optional(),
  JINXIN_SIGN: z.enum(['true', 'false']).default('false'),
  JINXIN_RECEIPT_ALGORITHM: z.enum(['SM2-SM3', 'Ed25519']).default('SM2-SM3'),
  JINXIN_RECEIPT_PRIVATE_KEY: z.string().optional(),
  JINXIN_PLATFORM_URL: z.string().optional(),
  REDIS_URL: z.string().optional(),
  JINXIN_INTROSPECTION: z.enum(['everyone', 'authenticated', 'nobody']).default('everyone'),
  JINXIN_BODY_LIMIT: count(256 * 1024),
  JINXIN_REQUEST_DEADLINE_MS: count(10_000),
  JINXIN_REQUESTS_PER_SECOND: count(1_000),
  JINXIN_LOOKUPS_PER_CONSUMER_MINUTE: count(60),
  JINXIN_LOOKUPS_PER_PERSON_HOUR: count(40),
  JINXIN_LOOKUPS_PER_CONSUMER_AND_PERSON_HOUR: count(10),
  JINXIN_LOOKUP_QUANTUM_MS: count(100),
  JINXIN_CONNECTIONS_PER_SUBGRAPH: count(64),
  JINXIN_CACHE_ENTRIES: count(50_000),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.string().optional(),
});

/** `options` are the command's: the supergraph's file, HOST:PORT, the catalogue's file. Throws ConfigError. */
export function readConfig(
  environment: Readonly<Record<string, string | undefined>>,
  options: { readonly supergraph: string; readonly listen: string; readonly catalogue?: string | undefined },
): Config {
  const parsed = environmentSchema.safeParse(environment);
  if (!parsed.success)
    throw new ConfigError(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`));
  const values = parsed.data;
  const production = isProduction(environment);
  const isSigning = values.JINXIN_SIGN === 'true';
  const keys = isSigning ? loadPlatformKeys(environment) : null;
  if (isSigning && !keys?.gatewayPrivateKey)
    throw new ConfigError(['JINXIN_GATEWAY_PRIVATE_KEY: the gateway needs the private key to sign']);
  return {
    production,
    listen: readListen(options.listen),
    supergraphFile: options.supergraph,
    catalogueFile: options.catalogue ?? values.JINXIN_CATALOGUE ?? null,
    subgraphsUrl: values.JINXIN_SUBGRAPHS_URL ?? null,
    issuer: readIssuer(values, production),
    receipts: isSigning
      ? loadReceiptSuite(values.JINXIN_RECEIPT_ALGORITHM, values.JINXIN_RECEIPT_PRIVATE_KEY, production)
      : null,
    signingKey: keys?.gatewayPrivateKey ?? null,
    subjectIds: keys?.subjectIds ?? null,
    platformUrl: values.JINXIN_PLATFORM_URL ?? null,
    redisUrl: values.REDIS_URL ?? null,
    introspection: values.JINXIN_INTROSPECTION,
    bodyLimit: values.JINXIN_BODY_LIMIT,
    requestDeadlineMs: values.JINXIN_REQUEST_DEADLINE_MS,
    requestsPerSecond: values.JINXIN_REQUESTS_PER_SECOND,
    lookups: {
      perConsumerMinute: values.JINXIN_LOOKUPS_PER_CONSUMER_MINUTE,
      perPersonHour: values.JINXIN_LOOKUPS_PER_PERSON_HOUR,
      perConsumerAndPersonHour: values.JINXIN_LOOKUPS_PER_CONSUMER_AND_PERSON_HOUR,
      quantumMs: values.JINXIN_LOOKUP_QUANTUM_MS,
    },
    connectionsPerSubgraph: values.JINXIN_CONNECTIONS_PER_SUBGRAPH,
    cacheEntries: values.JINXIN_CACHE_ENTRIES,
    limits: DEFAULT_LIMITS,
    otlpEndpoint: values.OTEL_EXPORTER_OTLP_ENDPOINT ?? null,
  };
}

/** The configuration as it may be logged: no key, no password. */
export function toPrintable(config: Config): Readonly<Record<string, unknown>> {
  const url = (text: string | null) => text?.replace(/\/\/[^@/]*@/, '//***@') ?? null;
  const { signingKey, receipts, subjectIds: _, ...rest } = config;
  return {
    ...rest,
    receipts: receipts ? `${receipts.algorithm} ${receipts.keyId}` : null,
    signingKey: signingKey ? '***' : null,
    platformUrl: url(config.platformUrl),
    redisUrl: url(config.redisUrl),
  };
}

function readListen(text: string): { host: string; port: number } {
  const [, host, port] = /^(.*):(\d{1,5})$/.exec(text) ?? [];
  if (!host || port === undefined || Number(port) > 65_535)
    throw new ConfigError([`--listen ${text}: must read HOST:PORT, such as 127.0.0.1:4000`]);
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
}

function readIssuer(values: z.infer<typeof environmentSchema>, production: boolean): IssuerConfig {
  if (values.JINXIN_ISSUER === 'none') return { kind: 'none' };
  if (values.JINXIN_ISSUER === 'sandbox') {
    if (production) throw new ConfigError(['JINXIN_ISSUER: the sandbox’s issuer is not for production']);
    return { kind: 'sandbox' };
  }
  if (values.JINXIN_JWKS_URI === undefined)
    throw new ConfigError(['JINXIN_JWKS_URI: is needed with JINXIN_ISSUER']);
  return {
    kind: 'oidc',
    issuer: values.JINXIN_ISSUER,
    audience: values.JINXIN_AUDIENCE,
    jwksUri: values.JINXIN_JWKS_URI,
  };
}
