/** A whole gateway, front door included, before departments of the harness: its own database, its own supergraph file. */
import { SignJWT } from 'jose';
import { Pool } from 'undici';
import { startEmbeddedPostgres } from '../../../adapters/postgres/embedded.ts';
import { sandboxKey } from '../../../schema/keys.ts';
import { sandboxIssuer } from '../../../schema/sandbox-tokens.ts';
import { ANONYMOUS } from '../../../schema/principal.ts';
import { startGateway } from '../../../tests/kit/gateway.ts';
import type { TestDatabases } from '../../../tests/kit/postgres.ts';
import { createTestDatabases } from '../../../tests/kit/postgres.ts';
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
  const databases = openDatabases();
  const gateway = await startGateway({
    supergraph: options.supergraph,
    catalogue: JSON.parse(options.catalogue) as object,
    environment: {
      JINXIN_ENVIRONMENT: 'sandbox',
      JINXIN_PLATFORM_URL: await databases.url('privacy'),
      JINXIN_SUBGRAPHS_URL: options.subgraphsUrl,
      JINXIN_ISSUER: 'sandbox',
      JINXIN_SIGN: 'true',
      JINXIN_RECEIPT_ALGORITHM: 'Ed25519',
      JINXIN_INTROSPECTION: 'authenticated',
      ...WIDE,
      ...options.environment,
    },
  });
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
export function openDatabases(): TestDatabases {
  if (process.env['JINXIN_TEST_POSTGRES_URL'] !== undefined) return createTestDatabases();
  let embedded: ReturnType<typeof startEmbeddedPostgres> | null = null;
  return {
    url: async (name) => (await (embedded ??= startEmbeddedPostgres())).createDatabase(name),
    close: async () => (await embedded)?.stop(),
  };
}
