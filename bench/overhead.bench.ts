/**
 * What the platform adds: every department takes 200 ms, and a bank's check on a company that nobody has asked about asks
 * all of them. The figure is the time of the whole check over that of its slowest department.
 */
import { quantile, round } from './quantile.ts';
import { paced, startBenchSandbox } from './sandbox.ts';

const LATENCY_MS = 200;
const CHECKS = 100;

export default async function overhead(print: (line: string) => void) {
  const sandbox = await startBenchSandbox({ latencyMs: LATENCY_MS, warmUp: 10 });
  try {
    const checks = await paced(CHECKS, 260, async (at) => {
      const { code } = sandbox.population[at + 1] ?? { code: '' };
      const startedAt = performance.now();
      const { sources, completeness } = await sandbox.check(code);
      const total = performance.now() - startedAt;
      const slowest = Math.max(...sources.map(({ ms }) => ms ?? 0));
      return { total, slowest, ratio: total / slowest, completeness };
    });
    const ratios = checks.map(({ ratio }) => ratio);
    const figures = {
      p50: round(quantile(ratios, 0.5)),
      p99: round(quantile(ratios, 0.99)),
      checks: checks.length,
      complete: checks.filter(({ completeness }) => completeness === 1).length,
      totalP50Ms: round(
        quantile(
          checks.map(({ total }) => total),
          0.5,
        ),
      ),
      slowestP50Ms: round(
        quantile(
          checks.map(({ slowest }) => slowest),
          0.5,
        ),
      ),
    };
    print(`check latency / slowest department, ${figures.checks} checks at ${LATENCY_MS} ms each department`);
    print(
      `  p50 ${figures.p50}   p99 ${figures.p99}   (check ${figures.totalP50Ms} ms, slowest ${figures.slowestP50Ms} ms)`,
    );
    return figures;
  } finally {
    await sandbox.close();
  }
}
