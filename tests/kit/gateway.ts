/** A gateway of a test's own: of the supergraph and the catalogue that the test hands it, in a folder that goes with it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { pino } from 'pino';
import { readConfig } from '../../gateway/config.ts';
import type { RunningGateway } from '../../gateway/serve.ts';
import { serveGateway } from '../../gateway/serve.ts';

export interface TestGateway extends RunningGateway {
  /** For files of the test's own; gone when the gateway is closed. */
  readonly folder: string;
}

/** `catalogue`: what its JSON file holds; without one the gateway knows no item. Set JINXIN_TEST_LOG to read its log. */
export async function startGateway(options: {
  readonly supergraph: string;
  readonly catalogue?: object;
  readonly environment?: Readonly<Record<string, string>>;
  readonly log?: Logger;
}): Promise<TestGateway> {
  const folder = await mkdtemp(join(tmpdir(), 'jinxin-test-'));
  const put = async (name: string, text: string) => {
    const path = join(folder, name);
    await writeFile(path, text);
    return path;
  };
  const config = readConfig(options.environment ?? {}, {
    supergraph: await put('supergraph.graphql', options.supergraph),
    catalogue: options.catalogue && (await put('catalogue.json', JSON.stringify(options.catalogue))),
    listen: '127.0.0.1:0',
  });
  const log = options.log ?? pino({ level: process.env['JINXIN_TEST_LOG'] ?? 'silent' });
  const gateway = await serveGateway(config, { log });
  return {
    url: gateway.url,
    folder,
    async close(graceMs) {
      await gateway.close(graceMs);
      await rm(folder, { recursive: true });
    },
  };
}
