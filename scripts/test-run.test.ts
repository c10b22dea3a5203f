import { describe, expect, it } from '@jest/globals';
import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toOutcome, toTestRun, UsageError } from './test-run.ts';

const THIS = fileURLToPath(import.meta.url);

describe('what npm test was asked to run', () => {
  it.each([
    [[], ['--maxWorkers=2']],
    [
      ['schema', '-t', 'region'],
      ['schema', '-t', 'region', '--maxWorkers=2'],
    ],
    [['--maxWorkers=1'], ['--maxWorkers=1']],
    [
      ['-w', '4'],
      ['-w', '4'],
    ],
    [
      ['-i', 'schema'],
      ['-i', 'schema'],
    ],
  ])('passes %j on to Jest', (argv, jestArguments) => {
    expect(toTestRun(argv, '/')).toEqual({ jestArguments, environment: {} });
  });

  it('runs only the real suites over the file, which is relative to where the command was given', () => {
    const run = toTestRun(['--real', basename(THIS), '-t', 'name'], dirname(THIS));
    expect(run.environment).toEqual({ JINXIN_REAL_POPULATION: THIS });
    expect(run.jestArguments).toEqual([
      '-t',
      'name',
      '--maxWorkers=2',
      '--testPathIgnorePatterns=/node_modules/',
      '--testMatch=**/*.real.test.ts',
    ]);
  });

  it.each([
    [['--real'], /no file of registrations is named/],
    [['--real', '--verbose'], /no file of registrations is named/],
    [['--real', 'nowhere.csv'], /there is no file .*nowhere\.csv/],
  ])('refuses %j with what is missing', (argv, message) => {
    expect(() => toTestRun(argv, dirname(THIS))).toThrow(UsageError);
    expect(() => toTestRun(argv, dirname(THIS))).toThrow(message);
  });
});

describe('how it went', () => {
  const report = (numPassedTests: number, numFailedTests: number, numRuntimeErrorTestSuites: number) =>
    JSON.stringify({ numPassedTests, numFailedTests, numRuntimeErrorTestSuites });
  it.each([
    ['all passed', report(5, 0, 0), 0, { passed: 5, failed: 0, exitCode: 0 }],
    ['one failed', report(4, 1, 0), 1, { passed: 4, failed: 1, exitCode: 1 }],
    [
      'a file that could not be run counts as failed',
      report(4, 0, 1),
      0,
      { passed: 4, failed: 1, exitCode: 1 },
    ],
    ['Jest was killed before it could report', null, 130, { passed: 0, failed: 0, exitCode: 130 }],
    ['no report is never a success', null, 0, { passed: 0, failed: 0, exitCode: 1 }],
  ])('%s', (_, text, code, outcome) => {
    expect(toOutcome(text, code)).toEqual(outcome);
  });
});
