/** The same departments over the same legacy systems, composed without a single policy: nothing is authorized, recorded, signed. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { systemClock } from '../../../adapters/clock.ts';
import { readConfig } from '../../../gateway/config.ts';
import { serveGateway } from '../../../gateway/serve.ts';
import { composeSupergraph } from '../../../schema/compose.ts';
import { loadPlatformKeys } from '../../../schema/keys.ts';
import { discoverDepartments } from '../../../subgraphs/discover.ts';
import { createMetrics } from '../../../subgraphs/metrics.ts';
import { serveSubgraphs } from '../../../subgraphs/serve.ts';

export interface Stack {
  readonly url: string;
  readonly subgraphsUrl: string;
  readonly supergraphFile: string;
  close(): Promise<void>;
}

/** `environment`: that of the simulators; `platformUrl`: a database of its own for the platform's records. */
export async function startWithoutPolicies(
  environment: Readonly<Record<string, string>>,
  platformUrl: string,
  catalogueFile: string,
): Promise<Stack> {
  const log = pino({ level: 'silent' });
  const folder = await mkdtemp(join(tmpdir(), 'jinxin-without-policies-'));
  const departments = (await discoverDepartments()).map((department) => ({
    ...department,
    sdl: department.sdl.replaceAll(/@policy\(policies: \[\[[^\]]*\]\]\)/g, ''),
  }));
  if (departments.some(({ sdl }) => sdl.includes('@policy'))) throw new Error('a policy was left over');
  const supergraphFile = join(folder, 'supergraph.graphql');
  await writeFile(
    supergraphFile,
    composeSupergraph(
      departments.map(({ subgraph, sdl }) => ({
        name: subgraph.name,
        sdl,
        url: `http://127.0.0.1:4001/${subgraph.name}/graphql`,
      })),
    ),
  );
  const variables = {
    ...environment,
    JINXIN_PLATFORM_URL: platformUrl,
    JINXIN_ENVIRONMENT: 'sandbox',
    JINXIN_ISSUER: 'sandbox',
    JINXIN_SIGN: 'true',
    JINXIN_CATALOGUE: catalogueFile,
  };
  const keys = loadPlatformKeys(variables);
  const subgraphs = await serveSubgraphs({
    departments,
    listen: { host: '127.0.0.1', port: 0 },
    environment: variables,
    gatewayKey: keys.gatewayPublicKey,
    subjectIds: keys.subjectIds,
    clock: systemClock,
    observer: createMetrics().observer,
    log,
    softDeadlineMs: 2_000,
  });
  const subgraphsUrl = `http://127.0.0.1:${subgraphs.port}`;
  const gateway = await serveGateway(
    readConfig(
      { ...variables, JINXIN_SUBGRAPHS_URL: subgraphsUrl },
      { supergraph: supergraphFile, listen: '127.0.0.1:0' },
    ),
    { log },
  );
  return {
    url: gateway.url,
    subgraphsUrl,
    supergraphFile,
    async close() {
      await gateway.close();
      await subgraphs.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
