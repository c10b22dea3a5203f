/**
 * What one sick department costs the others: for each department and fault, checks with the fault and without it in turn
 * (ABBA), and the ratio of the other departments' own times. The whole check waits for the sick one up to its soft deadline.
 */
import { quantile, round } from './quantile.ts';
import { paced, startBenchSandbox } from './sandbox.ts';

const FAULTS = ['refuse', 'hang', 'garble', 'slow'] as const;
const ROUNDS = 8;

export default async function faults(print: (line: string) => void) {
  const sandbox = await startBenchSandbox({
    latencyMs: 50,
    scale: 3_000,
    warmUp: 5,
    environment: { JINXIN_SOFT_DEADLINE_MS: '400' },
  });
  let next = 1;
  const ratios: Record<string, number> = {};
  try {
    for (const department of sandbox.simulators.departments)
      for (const fault of FAULTS) {
        const times: Record<'sick' | 'well', number[]> = { sick: [], well: [] };
        let said = '';
        await paced(ROUNDS * 2, 260, async (at) => {
          const state = at % 4 === 0 || at % 4 === 3 ? 'well' : 'sick';
          await sandbox.simulators.setFault(department, state === 'sick' ? fault : null);
          const { sources } = await sandbox.check(sandbox.population[next++]?.code ?? '');
          const answered = sources.filter(({ status }) => status === 'OK' || status === 'NONE_FOUND');
          if (state === 'sick')
            said = sources.find(({ status }) => status !== 'OK' && status !== 'NONE_FOUND')?.status ?? '';
          times[state].push(
            quantile(
              answered.map(({ ms }) => ms ?? 0),
              0.5,
            ),
          );
        });
        await sandbox.simulators.setFault(department, null);
        const ratio = round(quantile(times.sick, 0.5) / quantile(times.well, 0.5));
        ratios[`${department}/${fault}`] = ratio;
        print(`${department.padEnd(20)} ${fault.padEnd(8)} ${said.padEnd(12)} others’ p50 × ${ratio}`);
      }
    const worst = Math.max(...Object.values(ratios));
    print(`worst × ${worst}`);
    return { worst, ratios };
  } finally {
    await sandbox.close();
  }
}
