/** What `scripts/test.ts` was asked to run, and how it went: pure, so that it can be tested. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

export interface TestRun {
  readonly jestArguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const USAGE = 'usage: npm run test:real -- FILE.csv [jest arguments]';

/** @param cwd what a relative FILE is relative to */
export function toTestRun(argv: readonly string[], cwd: string): TestRun {
  const isReal = argv[0] === '--real';
  const file = isReal ? argv[1] : undefined;
  const passedOn = argv.slice(isReal ? 2 : 0);
  const says = (...names: string[]) =>
    passedOn.some((arg) => names.some((name) => arg === name || arg.startsWith(`${name}=`)));
  const workers = says('--maxWorkers', '-w', '--runInBand', '-i') ? [] : ['--maxWorkers=2'];
  if (!isReal) return { jestArguments: [...passedOn, ...workers], environment: {} };
  if (file === undefined || file.startsWith('-'))
    throw new UsageError(`no file of registrations is named\n${USAGE}`);
  const population = resolve(cwd, file);
  if (!existsSync(population)) throw new UsageError(`there is no file ${population}\n${USAGE}`);
  // Last, since these options take every word that follows them.
  const onlyReal = ['--testPathIgnorePatterns=/node_modules/', '--testMatch=**/*.real.test.ts'];
  return {
    jestArguments: [...passedOn, ...workers, ...onlyReal],
    environment: { JINXIN_REAL_POPULATION: population },
  };
}

export interface Outcome {
  readonly passed: number;
  /** Tests that failed, and files that could not even be run. */
  readonly failed: number;
  readonly exitCode: number;
}

/** @param report Jest's report as JSON; null when it wrote none, which is a failure whatever its exit code says */
export function toOutcome(report: string | null, exitCode: number): Outcome {
  if (report === null) return { passed: 0, failed: 0, exitCode: exitCode || 1 };
  const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites } = JSON.parse(report) as Record<
    string,
    number
  >;
  const failed = (numFailedTests ?? 0) + (numRuntimeErrorTestSuites ?? 0);
  return { passed: numPassedTests ?? 0, failed, exitCode: exitCode || (failed > 0 ? 1 : 0) };
}
