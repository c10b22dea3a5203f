/**
 * What privacy costs: CPU per request of a bank's whole check (the work of the overhead bench), with policies and without, in
 * one process over the same legacy systems, in turn (ABBA), as the median of the rounds' ratios.
 *
 * "Without" is the same departments composed without a policy: no decision, no consent, no mask, no record, no receipt; the
 * principal between gateway and departments is signed in both. What the process burns when nobody asks is taken off.
 */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pino } from 'pino';
import { parseCreditCode } from '../../schema/identifiers/unified-social-credit-code.ts';
import { runCreditCheck } from '../../scripts/credit-check.ts';
import { startSandbox } from '../../scripts/sandbox.ts';
import { quantile, round } from '../quantile.ts';
import { paced } from '../sandbox.ts';
import { openDatabases } from './shared/gateway-under-trial.ts';
import { startWithoutPolicies } from './shared/without-policies.ts';
import type { Figures, PartOptions } from './shared/part.ts';

const SIZES = { bench: { rounds: 9, checks: 8 }, test: { rounds: 2, checks: 3 } } as const;
/** One department grants five calls a second. */
const GAP_MS = 260;
const ROOT = join(import.meta.dirname, '../..');

export default async function authorizationCost(options: PartOptions): Promise<Figures> {
  const { print } = options;
  const { rounds, checks } = SIZES[options.size];
  const databases = openDatabases();
  const sandbox = await startSandbox({
    port: 0,
    scale: 1_000,
    seed: options.seed,
    faultRate: 0,
    latencyMs: 0,
    log: pino({ level: 'silent' }),
    postgres: databases.url,
  });
  const plain = await startWithoutPolicies(
    sandbox.simulators.environment,
    await databases.url('platform_plain'),
    join(ROOT, 'schema/catalogue.json'),
  );
  try {
    const token = await sandbox.token('bank-a');
    const urls = { on: sandbox.url, off: plain.url };
    const codes = sandbox.population.map(({ code }) => code).filter((code) => parseCreditCode(code).ok);
    let next = 0;
    const check = (way: 'on' | 'off', code: string) =>
      runCreditCheck({ url: urls[way], token, purpose: 'LOAN_ORIGINATION' }, code);
    for (const way of ['on', 'off'] as const)
      await untilComplete(() => check(way, codes.at(-1) ?? '').then(({ completeness }) => completeness));
    // Operations are prepared, code is warm.
    for (let turn = 0; turn < 2 * checks; turn++)
      for (const way of ['on', 'off'] as const) await check(way, codes.at(-2 - turn) ?? '');

    const idlePerMs = await burn(() => pause(3_000)).then(({ cpu, elapsed }) => cpu / elapsed);
    const perCheck: Record<'on' | 'off', number[]> = { on: [], off: [] };
    for (let at = 0; at < rounds; at++) {
      const sums = { on: 0, off: 0 };
      for (const way of at % 2
        ? (['off', 'on', 'on', 'off'] as const)
        : (['on', 'off', 'off', 'on'] as const)) {
        const { cpu, elapsed } = await burn(() =>
          paced(checks, GAP_MS, async () => {
            const { completeness } = await check(way, codes[next++ % (codes.length - 40)] ?? '');
            if (completeness === null) throw new Error('a check was not answered');
          }),
        );
        sums[way] += Math.max(0, cpu - idlePerMs * elapsed) / (2 * checks);
      }
      perCheck.on.push(sums.on);
      perCheck.off.push(sums.off);
      print(
        `  round ${at + 1}: ${round(sums.on)} ms with, ${round(sums.off)} ms without, × ${round(sums.on / sums.off)}`,
      );
    }
    const ratios = perCheck.on.map((on, at) => on / (perCheck.off[at] ?? NaN));
    const figures = {
      authorizationCost: round(quantile(ratios, 0.5)),
      authorizationCostMsOn: round(quantile(perCheck.on, 0.5)),
      authorizationCostMsOff: round(quantile(perCheck.off, 0.5)),
    };
    print(
      `CPU of a check, whole platform: ${figures.authorizationCostMsOn} ms with policies, ${figures.authorizationCostMsOff} ms without, × ${figures.authorizationCost} (the aim is ≤ 1.15; idle ${round(idlePerMs * 1_000)} ms a second taken off)`,
    );
    return figures;
  } finally {
    await plain.close();
    await sandbox.close();
    await databases.close();
  }
}

/** Milliseconds of CPU that this process used while something was done, and how long that took. */
async function burn(work: () => Promise<unknown>): Promise<{ cpu: number; elapsed: number }> {
  const startedAt = performance.now();
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return { cpu: (user + system) / 1_000, elapsed: performance.now() - startedAt };
}

async function untilComplete(completeness: () => Promise<number | null>): Promise<void> {
  for (const until = Date.now() + 60_000; ;) {
    const reached = await completeness().catch(() => null);
    if (reached === 1) return;
    if (Date.now() > until) throw new Error('the platform did not come to answer completely within a minute');
    await pause(250);
  }
}
