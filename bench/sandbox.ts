import { pino } from 'pino';
import type { CreditCheckResult } from '../scripts/credit-check.ts';
import { runCreditCheck } from '../scripts/credit-check.ts';
import type { Sandbox } from '../scripts/sandbox.ts';
import { startSandbox } from '../scripts/sandbox.ts';

export interface BenchSandbox extends Sandbox {
  check(code: string): Promise<CreditCheckResult>;
}

/** A quiet sandbox whose index and files have been read, and which has answered `warmUp` checks. */
export async function startBenchSandbox(options: {
  latencyMs: number;
  scale?: number;
  warmUp: number;
  environment?: Readonly<Record<string, string>>;
}): Promise<BenchSandbox> {
  const sandbox = await startSandbox({
    port: 0,
    scale: options.scale ?? 1_000,
    seed: 'bench',
    faultRate: 0,
    latencyMs: options.latencyMs,
    log: pino({ level: 'silent' }),
    environment: options.environment ?? {},
  });
  const token = await sandbox.token('bank-a');
  const check = (code: string) =>
    runCreditCheck({ url: sandbox.url, token, purpose: 'LOAN_ORIGINATION' }, code);
  const codes = sandbox.population.slice(-Math.max(1, options.warmUp)).map(({ code }) => code);
  const until = Date.now() + 30_000;
  for (const code of codes) {
    for (;;) {
      const done = await check(code).then(
        ({ completeness }) => completeness === 1,
        () => false,
      );
      if (done) break;
      if (Date.now() > until)
        throw new Error('the sandbox did not come to answer completely within thirty seconds');
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
  return { ...sandbox, check };
}

/** The department that holds us to five calls a second is not what is measured: checks keep that pace. */
export async function paced<T>(
  count: number,
  gapMs: number,
  work: (at: number) => Promise<T>,
): Promise<readonly T[]> {
  const results: T[] = [];
  for (let at = 0; at < count; at++) {
    const startedAt = performance.now();
    results.push(await work(at));
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, gapMs - (performance.now() - startedAt))));
  }
  return results;
}
