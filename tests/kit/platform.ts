/** The whole platform for a test, on the test's own databases, and a client that asks it as a persona. */
import { pino } from 'pino';
import { request } from 'undici';
import type { PersonaName } from '../../schema/sandbox-tokens.ts';
import type { CreditCheckResult } from '../../scripts/credit-check.ts';
import { runCreditCheck } from '../../scripts/credit-check.ts';
import type { Sandbox } from '../../scripts/sandbox.ts';
import { startSandbox } from '../../scripts/sandbox.ts';
import { createTestDatabases } from './postgres.ts';

export interface Platform extends Sandbox {
  databaseUrl(name: string): Promise<string>;
  ask(question: PlatformQuestion): Promise<PlatformAnswer>;
  check(subject: string, persona?: PersonaName): Promise<CreditCheckResult>;
  /** Calls that reached each department since the last reading. */
  callsSince(before: Readonly<Record<string, number>>): Readonly<Record<string, number>>;
}

export interface PlatformQuestion {
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
  /** Without one the question comes without a token. */
  readonly as?: PersonaName;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface PlatformAnswer {
  readonly status: number;
  // What a test selects is for the test to know.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly data: any;
  readonly errors: readonly {
    readonly message: string;
    readonly path?: readonly (string | number)[];
    readonly extensions: Readonly<Record<string, unknown>>;
  }[];
  readonly extensions: Readonly<Record<string, unknown>>;
}

export async function startPlatform(
  options: {
    scale?: number;
    latencyMs?: number;
    population?: string | undefined;
    environment?: Readonly<Record<string, string>>;
    /** Gets the JSON log, line by line. */
    onLog?: (line: string) => void;
  } = {},
): Promise<Platform> {
  const databases = createTestDatabases();
  const sandbox = await startSandbox({
    port: 0,
    population: options.population,
    scale: options.scale ?? 300,
    seed: 'test',
    faultRate: 0,
    latencyMs: options.latencyMs ?? 0,
    log: options.onLog
      ? pino({ level: 'trace' }, { write: options.onLog })
      : pino({ level: process.env['JINXIN_TEST_LOG'] ?? 'silent' }),
    postgres: (name) => databases.url(name),
    environment: options.environment ?? {},
  });

  const platform: Platform = {
    ...sandbox,
    databaseUrl: (name) => databases.url(name),
    async ask({ query, variables = {}, as, headers = {} }) {
      const response = await request(sandbox.url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(as === undefined ? {} : { authorization: `Bearer ${await sandbox.token(as)}` }),
          ...headers,
        },
        body: JSON.stringify({ query, variables }),
      });
      const body = (await response.body.json()) as Partial<PlatformAnswer>;
      return {
        status: response.statusCode,
        data: body.data,
        errors: body.errors ?? [],
        extensions: body.extensions ?? {},
      };
    },
    async check(subject, persona = 'bank-a') {
      const token = await sandbox.token(persona);
      return runCreditCheck({ url: sandbox.url, token, purpose: 'LOAN_ORIGINATION' }, subject);
    },
    callsSince(before) {
      const now = sandbox.simulators.calls();
      return Object.fromEntries(
        Object.entries(now).map(([name, calls]) => [name, calls - (before[name] ?? 0)]),
      );
    },
    async close() {
      await sandbox.close();
      await databases.close();
    },
  };
  await untilComplete(platform);
  return platform;
}

/** The index and the nightly files are read in the background: waits until the last company is answered completely. */
async function untilComplete(platform: Platform): Promise<void> {
  const { parseCreditCode } = await import('../../schema/identifiers/unified-social-credit-code.ts');
  const last = platform.population.findLast(({ code }) => parseCreditCode(code).ok);
  const until = Date.now() + 20_000;
  let said = '';
  while (Date.now() < until) {
    const isComplete = await platform.check(last?.code ?? '').then(
      ({ completeness, sources }) => {
        said = sources.map(({ department, status }) => `${department} ${status}`).join(', ');
        return completeness === 1;
      },
      (error: unknown) => {
        said = String(error);
        return false;
      },
    );
    if (isComplete) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await platform.close();
  throw new Error(`the platform did not come to answer completely within twenty seconds: ${said}`);
}
