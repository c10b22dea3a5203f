/** `npm run gateway -- --supergraph FILE|URL --listen HOST:PORT [--catalogue FILE]`: config → serve → drain. */
import { Command } from 'commander';
import { pino } from 'pino';
import { startTracing } from '../adapters/otlp/tracing.ts';
import { ConfigError, readConfig, toPrintable } from './config.ts';
import { serveGateway } from './serve.ts';
import { RefusedGraphError } from './reload/refusals.ts';
import { SupergraphError } from './supergraph/load.ts';

const command = new Command('gateway')
  .description('津信 Jinxin: a GraphQL federation gateway over any Federation 2 supergraph')
  .option(
    '--supergraph <file or url>',
    'the supergraph SDL (or JINXIN_SUPERGRAPH_URL); read again when it changes',
  )
  .option('--listen <host:port>', 'where to listen', '127.0.0.1:4000')
  .option('--catalogue <file>', 'the catalogue that the supergraph’s policies name (schema/catalogue.json)')
  .parse();
const log = pino({ name: 'jinxin-gateway', level: process.env['JINXIN_LOG_LEVEL'] ?? 'info' });

try {
  const config = readConfig(process.env, command.opts());
  log.info(toPrintable(config), 'configuration');
  const stopTracing = startTracing('jinxin-gateway', config.otlpEndpoint);
  const gateway = await serveGateway(config, { log });
  log.info(`gateway ready: ${gateway.url}`);
  let isStopping = false;
  const stop = () => {
    // Ctrl-C under npm comes twice, from the terminal and from npm: the second must not cut the first one short.
    if (isStopping) return;
    isStopping = true;
    gateway
      .close()
      .then(stopTracing)
      .then(
        () => process.exit(0),
        (error: unknown) => {
          log.fatal({ err: error }, 'could not close in order');
          process.exit(1);
        },
      );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
} catch (error) {
  const isToldInFull = [ConfigError, SupergraphError, RefusedGraphError].some(
    (kind) => error instanceof kind,
  );
  if (isToldInFull && error instanceof Error) log.fatal(error.message);
  else log.fatal({ err: error }, 'the gateway could not start');
  process.exit(1);
}
