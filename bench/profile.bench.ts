/**
 * Where Jinxin's CPU goes on the deep query: self time by module and by function, sampled in the gateway's process while it is
 * warm and under load. `--full`: with token, policies and traces. The profiler itself adds a third; trust shares, not times.
 */
import { parseArgs } from 'node:util';
import { startEmbeddedPostgres } from '../adapters/postgres/embedded.ts';
import { startContestant } from './gateway/contestants.ts';
import { openInspector } from './gateway/inspector.ts';
import { createLoad } from './gateway/load.ts';
import { pinSelf } from './gateway/process.ts';
import { selfTimes } from './gateway/self-times.ts';
import { onStage } from './gateway/run.ts';
import { startSubgraphs } from './gateway/subgraphs.ts';
import { WORKS } from './gateway/works.ts';
import { round } from './quantile.ts';

const WARM_UP = 500;
const REQUESTS = 1_000;
const TOP = 25;

export default async function profile(print: (line: string) => void, flags: readonly string[]) {
  const { values } = parseArgs({ args: [...flags], options: { full: { type: 'boolean', default: false } } });
  const [work] = WORKS;
  const closers: (() => Promise<unknown>)[] = [];
  try {
    pinSelf();
    const postgres = values.full ? await startEmbeddedPostgres() : null;
    if (postgres) closers.push(() => postgres.stop());
    const subgraphs = await startSubgraphs();
    closers.push(() => subgraphs.stop());
    const platformUrl = postgres?.url('postgres') ?? null;
    return await onStage(work, { subgraphs, peers: '', platformUrl, redisUrl: null }, async (stage) => {
      const contestant = await startContestant(values.full ? 'jinxinFull' : 'jinxin', stage);
      closers.push(() => contestant.process.stop());
      const load = createLoad(contestant);
      closers.push(() => load.close());
      await load.run(work.bodies, WARM_UP);
      const inspector = await openInspector(contestant.process.pid);
      await inspector.startProfile();
      await load.run(work.bodies, REQUESTS);
      const { byModule, byFunction, busyMs } = selfTimes(await inspector.stopProfile());
      inspector.close();
      print(`${work.title}: ${round(busyMs / REQUESTS)} ms a request, of that in`);
      for (const [title, times] of [
        ['module', byModule],
        ['function', byFunction],
      ] as const) {
        print(`\n  share  ms/request  ${title}`);
        for (const { name, ms } of times.slice(0, TOP))
          print(
            `${`${((100 * ms) / busyMs).toFixed(1)} %`.padStart(7)}  ${(ms / REQUESTS).toFixed(3).padStart(10)}  ${name}`,
          );
      }
      return {
        msPerRequest: round(busyMs / REQUESTS),
        modules: Object.fromEntries(byModule.slice(0, TOP).map(({ name, ms }) => [name, round(ms / busyMs)])),
      };
    });
  } finally {
    for (const close of closers.reverse()) await close();
  }
}
