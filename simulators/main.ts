/** `npm run simulators`: the legacy systems alone, with a switchboard for faults; prints the departments' settings. */
import { Command } from 'commander';
import { pino } from 'pino';
import { systemClock } from '../adapters/clock.ts';
import { startEmbeddedPostgres } from '../adapters/postgres/embedded.ts';
import { serveControl } from './control.ts';
import { generatePopulation, readPopulation } from './population/registrations.ts';
import { startSimulators } from './start.ts';

const command = new Command('simulators')
  .option('--population <file.csv>', 'real registrations instead of synthetic ones')
  .option('--scale <n>', 'how many synthetic companies', '2000')
  .option('--faults <rate>', 'share of the time that each system spends in a random fault', '0')
  .option('--seed <seed>', 'everything made up follows from it', 'jinxin')
  .option('--latency <ms>', 'milliseconds that every department takes', '0')
  .parse();
const options = command.opts<{
  population?: string;
  scale: string;
  faults: string;
  seed: string;
  latency: string;
}>();
const log = pino({ name: 'jinxin-simulators', level: process.env['JINXIN_LOG_LEVEL'] ?? 'warn' });

const server =
  process.env['JINXIN_SIMULATORS_POSTGRES_URL'] === undefined ? await startEmbeddedPostgres() : null;
const simulators = await startSimulators({
  population: options.population
    ? await readPopulation(options.population)
    : generatePopulation({ size: Number(options.scale), seed: options.seed }),
  seed: options.seed,
  clock: systemClock,
  log,
  latencyMs: Number(options.latency),
  faultRate: Number(options.faults),
  postgres: (database) =>
    server ? server.createDatabase(database) : Promise.resolve(onGivenServer(database)),
});
const control = await serveControl(simulators, Number(process.env['JINXIN_CONTROL_PORT'] ?? 4090));
for (const [name, value] of Object.entries(simulators.environment)) console.log(`${name}=${value}`);
if (server) console.log(`JINXIN_PLATFORM_URL=${await server.createDatabase('platform')}`);
console.log(`\nSimulators ready: ${control.url}`);

let isStopping = false;
const stop = () => {
  // Ctrl-C under npm comes twice, from the terminal and from npm: the second must not cut the first one short.
  if (isStopping) return;
  isStopping = true;
  setTimeout(() => process.exit(1), 4_000).unref();
  control
    .close()
    .then(() => simulators.close())
    .then(() => server?.stop())
    .then(
      () => process.exit(0),
      (error: unknown) => {
        log.fatal({ err: error }, 'could not close in order');
        process.exit(1);
      },
    );
};
process.on('SIGINT', stop);
process.on('SIGTERM', stop);

/** On a PostgreSQL that is there already the databases are made by its operator (see docker-compose.yml). */
function onGivenServer(database: string): string {
  const url = new URL(process.env['JINXIN_SIMULATORS_POSTGRES_URL'] ?? '');
  url.pathname = `/${database}`;
  return url.href;
}
