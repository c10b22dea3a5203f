/** A whole gateway, front door included, before departments of the harness: its own database, its own supergraph file. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import pg from 'pg';
import { pino } from 'pino';
import { Pool } from 'undici';
import { startEmbeddedPostgres } from '../../../adapters/postgres/embedded.ts';
import { readConfig } from '../../../gateway/config.ts';
import { serveGateway } from '../../../gateway/serve.ts';
import { sandboxKey } from '../../../schema/keys.ts';
import { sandboxIssuer } from '../../../schema/sandbox-tokens.ts';
import { ANONYMOUS } from '../../../schema/principal.ts';
import type { Asker } from './oracle.ts';

export interface TrialAnswer {
  readonly status: number;
  readonly headers: string;
  readonly text: string;
}

export interface TrialGateway {
  ask(asker: Asker, body: Readonly<Record<string, unknown>>): Promise<TrialAnswer>;
  close(): Promise<void>;
}

/** What is refused for its size or its rate shows nothing of what is disclosed: the harness asks without these bounds. */
const WIDE: Readonly<Record<string, string>> = {
  JINXIN_REQUESTS_PER_SECOND: '1000000',
  JINXIN_CONSUMER_RATES: 'default=1000000',
  JINXIN_LOOKUPS_PER_CONSUMER_MINUTE: '1000000',
  JINXIN_LOOKUPS_PER_PERSON_HOUR: '1000000',
  JINXIN_LOOKUPS_PER_CONSUMER_AND_PERSON_HOUR: '1000000',
  JINXIN_LOOKUP_QUANTUM_MS: '1',
};

export async function startTrialGateway(options: {
  supergraph: string;
  catalogue: string;
  subgraphsUrl: string;
  environment?: Readonly<Record<string, string>>;
}): Promise<TrialGateway> {
  const folder = await mkdtemp(join(tmpdir(), 'jinxin-privacy-'));
  const databases = openDatabases();
  const supergraph = join(folder, 'supergraph.graphql');
  const catalogue = join(folder, 'catalogue.json');
  await writeFile(supergraph, options.supergraph);
  await writeFile(catalogue, options.catalogue);
  const config = readConfig(
    {
      JINXIN_ENVIRONMENT: 'sandbox',
      JINXIN_PLATFORM_URL: await databases.url('privacy'),
      JINXIN_SUBGRAPHS_URL: options.subgraphsUrl,
      JINXIN_ISSUER: 'sandbox',
      JINXIN_SIGN: 'true',
      JINXIN_RECEIPT_ALGORITHM: 'Ed25519',
      JINXIN_INTROSPECTION: 'authenticated',
      JINXIN_CATALOGUE: catalogue,
      JINXIN_AUDIT_HEADS: join(folder, 'heads.jsonl'),
      ...WIDE,
      ...options.environment,
    },
    { supergraph, listen: '127.0.0.1:0' },
  );
  const gateway = await serveGateway(config, { log: pino({ level: 'silent' }) });
  const { origin, pathname } = new URL(gateway.url);
  const pool = new Pool(origin, { connections: 8 });
  const tokens = new Map<string, string>();

  return {
    async ask(asker, body) {
      const token = tokens.get(asker.id) ?? (await issueToken(asker));
      tokens.set(asker.id, token);
      const response = await pool.request({
        method: 'POST',
        path: pathname,
        headers: {
          'content-type': 'application/json',
          ...(asker.id === ANONYMOUS.id ? {} : { authorization: `Bearer ${token}` }),
        },
        body: JSON.stringify(body),
      });
      const text = await response.body.text();
      return { status: response.statusCode, headers: JSON.stringify(response.headers), text };
    },
    async close() {
      await pool.destroy();
      await gateway.close();
      await databases.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A token of the sandbox's issuer for any principal whatever: the harness tries purposes that no bank would be given. */
function issueToken({ id, kind, purpose, department, subjects }: Asker): Promise<string> {
  const jinxin = {
    kind,
    purposes: [purpose],
    ...(department === undefined ? {} : { department }),
    subjects,
  };
  return new SignJWT({ jinxin })
    .setProtectedHeader({ alg: 'EdDSA', kid: 'sandbox-1' })
    .setSubject(id)
    .setIssuer(sandboxIssuer.issuer)
    .setAudience(sandboxIssuer.audience)
    .setIssuedAt()
    .setExpirationTime('1d')
    .sign(sandboxKey('issuer'));
}

/** Databases of the harness's own: on the server of the tests where there is one, else on an embedded one. */
export function openDatabases(): { url(this: void, name: string): Promise<string>; close(): Promise<void> } {
  const server = process.env['JINXIN_TEST_POSTGRES_URL'];
  const made: string[] = [];
  let embedded: ReturnType<typeof startEmbeddedPostgres> | null = null;
  return {
    async url(name) {
      if (server === undefined) return (await (embedded ??= startEmbeddedPostgres())).createDatabase(name);
      const own = `${name.replaceAll('-', '_')}_${randomBytes(5).toString('hex')}`;
      await onServer(server, `CREATE DATABASE ${own}`);
      made.push(own);
      const url = new URL(server);
      url.pathname = `/${own}`;
      return url.href;
    },
    async close() {
      for (const own of made) await onServer(server ?? '', `DROP DATABASE IF EXISTS ${own} WITH (FORCE)`);
      await (await embedded)?.stop();
    },
  };
}

async function onServer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
