/**
 * `npm test [-- <jest arguments>]`: brings up the servers that tests need, runs Jest, stops the servers.
 * `npm run test:real -- FILE [<jest arguments>]`: only the suites on real registrations (`*.real.test.ts`).
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureServices, MissingServersError } from './services/ensure.ts';
import { toOutcome, toTestRun, UsageError } from './test-run.ts';
import type { TestRun } from './test-run.ts';

const ROOT = join(import.meta.dirname, '..');

async function main(): Promise<number> {
  const run = toTestRun(process.argv.slice(2), process.cwd());
  const services = await ensureServices({
    environment: process.env,
    isRoot: process.getuid?.() === 0,
    say: (line) => process.stderr.write(`» ${line}\n`),
  });
  const reports = await mkdtemp(join(tmpdir(), 'jinxin-tests-'));
  const report = join(reports, 'report.json');
  try {
    const code = await runJest(run, services.environment, report);
    const outcome = toOutcome(await readFile(report, 'utf8').catch(() => null), code);
    // Stopped before the count, so that the count is the last line whatever a server has to say.
    await services.stop();
    console.log(`${outcome.passed} passed, ${outcome.failed} failed`);
    return outcome.exitCode;
  } finally {
    await services.stop();
    await rm(reports, { recursive: true, force: true });
  }
}

/** Jest's exit code; 128 + the signal's number when a signal ended it. */
async function runJest(
  run: TestRun,
  environment: Readonly<Record<string, string>>,
  report: string,
): Promise<number> {
  const args = [
    '--experimental-vm-modules',
    '--no-warnings=ExperimentalWarning',
    join(ROOT, 'node_modules/jest/bin/jest.js'),
    '--rootDir',
    ROOT,
    '--json',
    '--outputFile',
    report,
    ...run.jestArguments,
  ];
  const jest = spawn(process.execPath, args, {
    cwd: ROOT,
    env: { ...process.env, ...environment, ...run.environment },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  // From a terminal Jest gets the signal as well, and a second one does no harm; we stay to stop the servers.
  const pass = (signal: NodeJS.Signals) => jest.kill(signal);
  process.on('SIGINT', pass).on('SIGTERM', pass);
  const [code, signal] = (await once(jest, 'exit')) as [number | null, NodeJS.Signals | null];
  process.off('SIGINT', pass).off('SIGTERM', pass);
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof MissingServersError || error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
