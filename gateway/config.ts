/** Environment and arguments → one typed Config, parsed once; printed with its secrets masked. */
import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { isProduction, loadPlatformKeys } from '../schema/keys.ts';
import type { SubjectIds } from '../schema/subject-id.ts';
import type { TlsConfig } from './http/tls.ts';
import type { IssuerConfig } from './identity/identify.ts';
import { loadAuditSuite, openReceiptSignatures } from '../schema/signatures/keys.ts';
import type { Signatures } from '../schema/signatures/suite.ts';
import type { OperationLimits } from './limits/operation-limits.ts';
import { DEFAULT_LIMITS } from './limits/operation-limits.ts';
import type { ConsumerRates } from './limits/rates.ts';
import { readConsumerRates } from './limits/rates.ts';

export interface Config {
  readonly production: boolean;
  readonly listen: { readonly host: string; readonly port: number };
  /** null: plain HTTP, behind whatever ends TLS. */
  readonly tls: TlsConfig | null;
  /** A file, or an address over http(s). */
  readonly supergraph: string;
  /** How often is looked whether supergraph or catalogue have changed; milliseconds. */
  readonly supergraphPollMs: number;
  /** null: the graph has no policies, or nobody knows their items (then everything behind a policy is denied). */
  readonly catalogueFile: string | null;
  /** Base address of the subgraphs; null: each at the address that the supergraph names. */
  readonly subgraphsUrl: string | null;
  readonly issuer: IssuerConfig;
  /** Signs receipts; null: there are none. */
  readonly receipts: Signatures | null;
  /** Signs the heads of the audit log; null: production, and no key was given. */
  readonly auditSuite: Signatures | null;
  /** The file that heads of the audit log are published to, which somebody else keeps; null: none was named. */
  readonly auditHeads: string | null;
  /** null: requests to subgraphs go unsigned. */
  readonly signingKey: KeyObject | null;
  readonly subjectIds: SubjectIds | null;
  /** PostgreSQL of the audit log; needed as soon as the graph has policies. */
  readonly platformUrl: string | null;
  readonly redisUrl: string | null;
  readonly introspection: 'everyone' | 'authenticated' | 'nobody';
  readonly bodyLimit: number;
  readonly requestDeadlineMs: number;
  /** See limits/admission.ts. */
  readonly patienceMs: number;
  readonly lookups: {
    readonly perConsumerMinute: number;
    readonly perPersonHour: number;
    readonly perConsumerAndPersonHour: number;
    readonly quantumMs: number;
  };
  readonly consumerRates: ConsumerRates;
  readonly connectionsPerSubgraph: number;
  /** Where entities are kept; `redis`, and of `both` the second, only where there is a Redis. */
  readonly cache: 'off' | 'local' | 'redis' | 'both';
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
  JINXIN_SUPERGRAPH_URL: z.url({ protocol: /^https?$/ }).optional(),
  JINXIN_SUPERGRAPH_POLL_MS: count(1_000),
  JINXIN_CATALOGUE: z.string().optional(),
  JINXIN_SUBGRAPHS_URL: z.url().optional(),
  JINXIN_ISSUER: z.string().default('none'),
  JINXIN_TLS_CERTIFICATE: z.string().optional(),
  JINXIN_TLS_KEY: z.string().optional(),
  JINXIN_TLS_CLIENT_CA: z.string().optional(),
  JINXIN_TLS_CLIENT_CRL: z.string().optional(),
  JINXIN_TLS_CLIENTS: z.string().optional(),
  JINXIN_AUDIENCE: z.string().default('jinxin'),
  JINXIN_JWKS_URI: z.url().optional(),
  JINXIN_SIGN: z.enum(['true', 'false']).default('false'),
  JINXIN_RECEIPT_ALGORITHM: z.enum(['SM2-SM3', 'Ed25519']).default('SM2-SM3'),
  JINXIN_RECEIPT_PRIVATE_KEY: z.string().optional(),
  JINXIN_RECEIPT_PUBLIC_KEY: z.string().optional(),
  JINXIN_RECEIPT_SIGNER: z.string().min(1).optional(),
  JINXIN_AUDIT_HEADS: z.string().min(1).optional(),
  JINXIN_AUDIT_PRIVATE_KEY: z.string().optional(),
  JINXIN_PLATFORM_URL: z.string().optional(),
  REDIS_URL: z.string().optional(),
  JINXIN_INTROSPECTION: z.enum(['everyone', 'authenticated', 'nobody']).default('everyone'),
  JINXIN_BODY_LIMIT: count(256 * 1024),
  JINXIN_REQUEST_DEADLINE_MS: count(10_000),
  JINXIN_PATIENCE_MS: count(400),
  JINXIN_REQUESTS_PER_SECOND: count(1_000),
  JINXIN_LOOKUPS_PER_CONSUMER_MINUTE: count(60),
  JINXIN_LOOKUPS_PER_PERSON_HOUR: count(40),
  JINXIN_LOOKUPS_PER_CONSUMER_AND_PERSON_HOUR: count(10),
  JINXIN_LOOKUP_QUANTUM_MS: count(100),
  JINXIN_CONSUMER_RATES: z.string().default(''),
  JINXIN_CONNECTIONS_PER_SUBGRAPH: count(64),
  JINXIN_CACHE: z.enum(['off', 'local', 'redis', 'both']).default('both'),
  JINXIN_CACHE_ENTRIES: count(50_000),
  JINXIN_MOST_COST: count(DEFAULT_LIMITS.cost),
  JINXIN_MOST_SUBJECTS: count(DEFAULT_LIMITS.subjects),
  JINXIN_MOST_VALUES: count(DEFAULT_LIMITS.values),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.string().optional(),
});

/** `options` are the command's: the supergraph's file or address, HOST:PORT, the catalogue's file. Throws ConfigError. */
export function readConfig(
  environment: Readonly<Record<string, string | undefined>>,
  options: {
    readonly supergraph?: string | undefined;
    readonly listen: string;
    readonly catalogue?: string | undefined;
  },
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
  const consumerRates = readConsumerRates(values.JINXIN_CONSUMER_RATES, values.JINXIN_REQUESTS_PER_SECOND);
  if (!consumerRates)
    throw new ConfigError([
      'JINXIN_CONSUMER_RATES: must read CONSUMER=NUMBER[,…][,default=NUMBER], each once',
    ]);
  return {
    production,
    listen: readListen(options.listen),
    tls: readTls(values),
    supergraph: readSupergraphPlace(options.supergraph ?? values.JINXIN_SUPERGRAPH_URL, production),
    supergraphPollMs: values.JINXIN_SUPERGRAPH_POLL_MS,
    catalogueFile: options.catalogue ?? values.JINXIN_CATALOGUE ?? null,
    subgraphsUrl: values.JINXIN_SUBGRAPHS_URL ?? null,
    issuer: readIssuer(values, production),
    receipts: isSigning
      ? openReceiptSignatures({
          algorithm: values.JINXIN_RECEIPT_ALGORITHM,
          production,
          privatePem: values.JINXIN_RECEIPT_PRIVATE_KEY,
          signer: values.JINXIN_RECEIPT_SIGNER,
          publicPem: values.JINXIN_RECEIPT_PUBLIC_KEY,
        })
      : null,
    auditSuite:
      production && values.JINXIN_AUDIT_PRIVATE_KEY === undefined
        ? null
        : loadAuditSuite(values.JINXIN_AUDIT_PRIVATE_KEY, production),
    auditHeads: values.JINXIN_AUDIT_HEADS ?? null,
    signingKey: keys?.gatewayPrivateKey ?? null,
    subjectIds: keys?.subjectIds ?? null,
    platformUrl: values.JINXIN_PLATFORM_URL ?? null,
    redisUrl: values.REDIS_URL ?? null,
    introspection: values.JINXIN_INTROSPECTION,
    bodyLimit: values.JINXIN_BODY_LIMIT,
    requestDeadlineMs: values.JINXIN_REQUEST_DEADLINE_MS,
    patienceMs: values.JINXIN_PATIENCE_MS,
    lookups: {
      perConsumerMinute: values.JINXIN_LOOKUPS_PER_CONSUMER_MINUTE,
      perPersonHour: values.JINXIN_LOOKUPS_PER_PERSON_HOUR,
      perConsumerAndPersonHour: values.JINXIN_LOOKUPS_PER_CONSUMER_AND_PERSON_HOUR,
      quantumMs: values.JINXIN_LOOKUP_QUANTUM_MS,
    },
    consumerRates,
    connectionsPerSubgraph: values.JINXIN_CONNECTIONS_PER_SUBGRAPH,
    cache: values.JINXIN_CACHE,
    cacheEntries: values.JINXIN_CACHE_ENTRIES,
    limits: {
      ...DEFAULT_LIMITS,
      cost: values.JINXIN_MOST_COST,
      subjects: values.JINXIN_MOST_SUBJECTS,
      values: values.JINXIN_MOST_VALUES,
    },
    otlpEndpoint: values.OTEL_EXPORTER_OTLP_ENDPOINT ?? null,
  };
}

/** The configuration as it may be logged: no key, no password. */
export function toPrintable(config: Config): Readonly<Record<string, unknown>> {
  const url = (text: string | null) => text?.replace(/\/\/[^@/]*@/g, '//***@') ?? null;
  const { signingKey, receipts, auditSuite, subjectIds: _, ...rest } = config;
  return {
    ...rest,
    supergraph: url(config.supergraph),
    consumerRates: {
      fallback: config.consumerRates.fallback,
      of: Object.fromEntries(config.consumerRates.of),
    },
    receipts: receipts ? `${receipts.algorithm} ${receipts.keyId}` : null,
    auditSuite: auditSuite ? `${auditSuite.algorithm} ${auditSuite.keyId}` : null,
    signingKey: signingKey ? '***' : null,
    platformUrl: url(config.platformUrl),
    redisUrl: url(config.redisUrl),
  };
}

function readSupergraphPlace(place: string | undefined, production: boolean): string {
  if (place === undefined)
    throw new ConfigError(['--supergraph or JINXIN_SUPERGRAPH_URL: the gateway needs a supergraph']);
  // Whoever sits on the way could leave the policies out, and hand out what is behind them.
  if (production && place.startsWith('http:'))
    throw new ConfigError(['--supergraph, JINXIN_SUPERGRAPH_URL: it is fetched over https in production']);
  return place;
}

function readListen(text: string): { host: string; port: number } {
  const [, host, port] = /^(.*):(\d{1,5})$/.exec(text) ?? [];
  if (!host || port === undefined || Number(port) > 65_535)
    throw new ConfigError([`--listen ${text}: must read HOST:PORT, such as 127.0.0.1:4000`]);
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
}

/** Files of PEM: certificate and key make the door TLS, the others ask clients for theirs. */
function readTls(values: z.infer<typeof environmentSchema>): TlsConfig | null {
  const { JINXIN_TLS_CERTIFICATE: certificate, JINXIN_TLS_KEY: key } = values;
  const clientCa = values.JINXIN_TLS_CLIENT_CA ?? null;
  const clientCrl = values.JINXIN_TLS_CLIENT_CRL ?? null;
  const clients = values.JINXIN_TLS_CLIENTS ?? null;
  if ((clientCrl !== null || clients !== null) && clientCa === null)
    throw new ConfigError([
      'JINXIN_TLS_CLIENT_CA: is needed with JINXIN_TLS_CLIENTS and JINXIN_TLS_CLIENT_CRL',
    ]);
  if (certificate === undefined || key === undefined) {
    if (certificate === undefined && key === undefined && clientCa === null) return null;
    throw new ConfigError(['JINXIN_TLS_CERTIFICATE and JINXIN_TLS_KEY: TLS needs both']);
  }
  return { certificate, key, clientCa, clientCrl, clients };
}

function readIssuer(values: z.infer<typeof environmentSchema>, production: boolean): IssuerConfig {
  if (values.JINXIN_ISSUER === 'none') return { kind: 'none' };
  if (values.JINXIN_ISSUER === 'sandbox') {
    if (production) throw new ConfigError(['JINXIN_ISSUER: the sandbox’s issuer is not for production']);
    return { kind: 'sandbox' };
  }
  if (values.JINXIN_JWKS_URI === undefined)
    throw new ConfigError(['JINXIN_JWKS_URI: is needed with JINXIN_ISSUER']);
  // Whoever sits on the way could hand out keys of his own, and be anybody.
  if (production && !values.JINXIN_JWKS_URI.startsWith('https:'))
    throw new ConfigError(['JINXIN_JWKS_URI: keys are fetched over https in production']);
  return {
    kind: 'oidc',
    issuer: values.JINXIN_ISSUER,
    audience: values.JINXIN_AUDIENCE,
    jwksUri: values.JINXIN_JWKS_URI,
  };
}
