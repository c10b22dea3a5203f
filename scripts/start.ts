/** `npm start`: the whole platform on this machine, one sample check, and an endpoint that stays up until Ctrl-C. */
import { Command } from 'commander';
import { existsSync, mkdirSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { pino } from 'pino';
import type { ControlServer } from '../simulators/control.ts';
import { serveControl } from '../simulators/control.ts';
import { SAMPLE_COMPANY_CODE } from '../schema/sandbox-tokens.ts';
import { CHECK_QUERY, CheckError, renderCheck, runCreditCheck } from './credit-check.ts';
import type { Sandbox } from './sandbox.ts';
import { startSandbox } from './sandbox.ts';

const ROOT = join(import.meta.dirname, '..');
const command = new Command('start')
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
const port = Number(process.env['PORT'] ?? 4000);

let sandbox: Sandbox | null = null;
let control: ControlServer | null = null;
let isStopping = false;

process.on('SIGINT', () => void stop(0));
process.on('SIGTERM', () => void stop(0));

try {
  await start();
} catch (error) {
  console.error(error instanceof Error ? `\n✗ ${error.message}` : error);
  await stop(1);
}

async function start(): Promise<void> {
  if (options.population !== undefined && !existsSync(options.population))
    throw new Error(`--population ${options.population}: 没有此文件。 There is no such file.`);
  if (await isTaken(port))
    throw new Error(
      `端口 ${port} 已被占用。 Port ${port} is taken: stop what uses it, or choose another: PORT=4100 npm start`,
    );
  console.log('津信 Jinxin\n');
  const folder = join(ROOT, '.jinxin');
  mkdirSync(folder, { recursive: true });
  const logFile = join(folder, 'sandbox.log');
  const log = pino(
    { level: process.env['JINXIN_LOG_LEVEL'] ?? 'info' },
    pino.destination({ dest: logFile, sync: false, append: false }),
  );
  sandbox = await startSandbox({
    port,
    population: options.population,
    scale: Number(options.scale),
    seed: options.seed,
    faultRate: Number(options.faults),
    latencyMs: Number(options.latency),
    log,
    onStep: (step, ms) => console.log(`  ✓ ${step} ${(ms / 1000).toFixed(1)} s`),
  });
  control = await serveControl(sandbox.simulators, Number(process.env['JINXIN_CONTROL_PORT'] ?? port + 90));
  const token = await sandbox.token('bank-a');
  console.log('\n一次信贷核查（银行 bank-a） One credit check, as bank-a:\n');
  console.log(renderCheck(await sampleCheck(sandbox, token)));
  console.log(`\n端点 endpoint:  ${sandbox.url}   (浏览器打开即为 GraphiQL; a browser shows GraphiQL)`);
  console.log(`日志 log:       ${logFile}`);
  console.log(`令牌 token (bank-a; others: npm run token -- <persona>):\n${token}`);
  const variables = { code: (await sampleCompany(sandbox)).code, purpose: 'LOAN_ORIGINATION' };
  console.log(
    `\n可粘贴的查询 a query to paste:\n${CHECK_QUERY}\n变量 variables: ${JSON.stringify(variables)}`,
  );
  console.log(`\nJinxin ready: ${sandbox.url}`);
}

/** The index and the nightly files are still being read when the gateway is up: asked again until all have answered. */
async function sampleCheck(running: Sandbox, token: string) {
  const { code } = await sampleCompany(running);
  const endpoint = { url: running.url, token, purpose: 'LOAN_ORIGINATION' };
  const until = Date.now() + 15_000;
  for (;;) {
    try {
      const result = await runCreditCheck(endpoint, code);
      if (result.completeness === 1 || Date.now() > until) return result;
    } catch (error) {
      if (!(error instanceof CheckError) || Date.now() > until) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** The synthetic sample, or the first company of a real population whose code holds. */
async function sampleCompany({ population }: Sandbox): Promise<{ code: string }> {
  const { parseCreditCode } = await import('../schema/identifiers/unified-social-credit-code.ts');
  const sample = population.find(({ code }) => code === SAMPLE_COMPANY_CODE);
  const found = sample ?? population.find(({ code }) => parseCreditCode(code).ok);
  if (!found) throw new Error('the population holds no company with a valid code');
  return found;
}

async function stop(code: number): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  if (sandbox) console.log('\n正在停止… stopping…');
  // Whatever hangs, the process is gone in time; PostgreSQL's watcher stops it when this process ends.
  setTimeout(() => process.exit(code), 4_000).unref();
  await control?.close();
  await sandbox?.close();
  process.exit(code);
}

function isTaken(candidate: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port: candidate, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
