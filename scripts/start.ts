/** `npm start`: the whole platform on this machine, one sample check, and an endpoint that stays up until Ctrl-C. */
import { Command, InvalidArgumentError } from 'commander';
import { existsSync, mkdirSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { pino } from 'pino';
import type { ControlServer } from '../simulators/control.ts';
import { serveControl } from '../simulators/control.ts';
import { SAMPLE_COMPANY_CODE } from '../schema/sandbox-tokens.ts';
import { CHECK_QUERY, CheckError, renderCheck, runCreditCheck } from './credit-check.ts';
import type { Sandbox } from './sandbox.ts';
import { freshHeadsFile, noteRunningAudit } from './running-audit.ts';
import { startSandbox } from './sandbox.ts';

const ROOT = join(import.meta.dirname, '..');
const command = new Command('start')
  .description('The whole platform on this machine, until Ctrl-C.')
  .option('--population <file.csv>', 'real registrations instead of synthetic ones')
  .option('--scale <n>', 'how many synthetic companies', toNumber(0, 900_000), 2_000)
  .option('--faults <rate>', 'share of the time that each system spends in a random fault', toNumber(0, 1), 0)
  .option('--seed <seed>', 'everything made up follows from it', 'jinxin')
  .option('--latency <ms>', 'milliseconds that every department takes', toNumber(0, 60_000), 0)
  .showHelpAfterError()
  .parse();
const options = command.opts<{
  population?: string;
  scale: number;
  faults: number;
  seed: string;
  latency: number;
}>();

let sandbox: Sandbox | null = null;
let control: ControlServer | null = null;
let forgetAudit = () => {};
let isStopping = false;

process.on('SIGINT', () => void stop(0));
process.on('SIGTERM', () => void stop(0));

try {
  await start(readPort('PORT', 4000));
} catch (error) {
  console.error(error instanceof Error ? `\n✗ ${error.message}` : error);
  await stop(1);
}

async function start(port: number): Promise<void> {
  const controlPort = readPort('JINXIN_CONTROL_PORT', port + 90);
  if (options.population !== undefined && !existsSync(options.population))
    throw new Error(`--population ${options.population}: 没有此文件。 There is no such file.`);
  for (const [variable, wanted] of [
    ['PORT', port],
    ['JINXIN_CONTROL_PORT', controlPort],
  ] as const)
    if (await isTaken(wanted))
      throw new Error(
        `端口 ${wanted} 已被占用。 Port ${wanted} is taken: stop what uses it, or choose another: ${variable}=${wanted + 100} npm start`,
      );
  console.log('津信 Jinxin\n');
  const folder = join(ROOT, '.jinxin');
  mkdirSync(folder, { recursive: true });
  // Of its own for each port: two platforms side by side do not write over each other.
  const logFile = join(folder, `sandbox-${port}.log`);
  const log = pino(
    { level: process.env['JINXIN_LOG_LEVEL'] ?? 'info' },
    pino.destination({ dest: logFile, sync: false, append: false }),
  );
  sandbox = await startSandbox({
    port,
    population: options.population,
    scale: options.scale,
    seed: options.seed,
    faultRate: options.faults,
    latencyMs: options.latency,
    log,
    onStep: showStep,
    environment: { JINXIN_AUDIT_HEADS: freshHeadsFile(port) },
  });
  forgetAudit = noteRunningAudit(port, sandbox.audit);
  control = await serveControl(sandbox.simulators, controlPort);
  const token = await sandbox.token('bank-a');
  const firstCheck = 'index, nightly files, first check 索引、夜间文件与首次核查';
  showStep(firstCheck, null);
  const startedAt = performance.now();
  const sample = await sampleCheck(sandbox, token);
  showStep(firstCheck, performance.now() - startedAt);
  console.log('\n一次信贷核查（银行 bank-a） One credit check, as bank-a:\n');
  console.log(renderCheck(sample));
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

/** On a terminal what is being waited for is shown, and overwritten when it is done. */
function showStep(step: string, milliseconds: number | null): void {
  if (milliseconds !== null)
    process.stdout.write(
      `${process.stdout.isTTY ? '\r' : ''}  ✓ ${step} ${(milliseconds / 1000).toFixed(1)} s\n`,
    );
  else if (process.stdout.isTTY) process.stdout.write(`  … ${step}`);
}

function toNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (text.trim() !== '' && number >= least && number <= most) return number;
    throw new InvalidArgumentError(`应为 ${least} 至 ${most}。 It must be ${least} to ${most}.`);
  };
}

function readPort(variable: string, otherwise: number): number {
  const port = Number(process.env[variable] || otherwise);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new Error(`${variable} 应为 1 至 65535。 ${variable} must be a port, 1 to 65535.`);
}

async function stop(code: number): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  if (sandbox) console.log('\n正在停止… stopping…');
  // Whatever hangs, the process is gone in time; PostgreSQL's watcher stops it when this process ends.
  setTimeout(() => process.exit(code), 4_000).unref();
  forgetAudit();
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
