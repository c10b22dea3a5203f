/** `npm run subgraphs [-- <department> …]`: all departments, or those named. */
import { pino } from 'pino';
import { systemClock } from '../adapters/clock.ts';
import { startTracing } from '../adapters/otlp/tracing.ts';
import { loadPlatformKeys } from '../schema/keys.ts';
import { discoverDepartments } from './discover.ts';
import { createMetrics } from './metrics.ts';
import { serveSubgraphs } from './serve.ts';

const log = pino({ name: 'jinxin-subgraphs' });
const stopTracing = startTracing('jinxin-subgraphs', process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? null);
const keys = loadPlatformKeys(process.env);
const metrics = createMetrics();
const named = process.argv.slice(2);
const departments = await discoverDepartments();
const unknown = named.filter((name) => !departments.some(({ subgraph }) => subgraph.name === name));
if (unknown.length > 0) {
  log.fatal(
    `no department is called ${unknown.join(', ')}; there are ${departments.map(({ subgraph }) => subgraph.name).join(', ')}`,
  );
  process.exit(2);
}
const running = await serveSubgraphs({
  departments:
    named.length === 0 ? departments : departments.filter(({ subgraph }) => named.includes(subgraph.name)),
  listen: {
    host: process.env['JINXIN_SUBGRAPHS_HOST'] ?? '127.0.0.1',
    port: Number(process.env['JINXIN_SUBGRAPHS_PORT'] ?? 4001),
  },
  environment: process.env,
  gatewayKey: keys.gatewayPublicKey,
  subjectIds: keys.subjectIds,
  clock: systemClock,
  observer: metrics.observer,
  log,
  softDeadlineMs: Number(process.env['JINXIN_SOFT_DEADLINE_MS'] ?? 2_000),
  metrics: metrics.page,
});
log.info({ urls: running.urls }, 'departments are served');

let isStopping = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    // Ctrl-C under npm comes twice, from the terminal and from npm: the second must not cut the first one short.
    if (isStopping) return;
    isStopping = true;
    running
      .close()
      .then(stopTracing)
      .then(
        () => process.exit(0),
        (error: unknown) => {
          log.fatal({ err: error }, 'could not close in order');
          process.exit(1);
        },
      );
  });
