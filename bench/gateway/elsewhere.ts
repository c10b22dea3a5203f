/** What the targets name beside the cost of a request. A figure whose feature is not there is null, and it is said why. */
import { round } from '../quantile.ts';
import overhead from '../overhead.bench.ts';
import type { GatewayFigures } from './figures.ts';
import { measureOverload } from './overload.ts';
import { countRoundTrips } from './redis-round-trips.ts';
import { measureReload } from './reload.ts';
import type { Surroundings } from './run.ts';
import { WORKS } from './works.ts';

export type Elsewhere = Pick<GatewayFigures, 'redisOnly' | 'overhead' | 'overload' | 'reload'>;

export const NOT_MEASURED: Elsewhere = {
  redisOnly: { roundTripsPerLevel: null },
  overhead: { p50: null, p99: null },
  overload: { goodput: null },
  reload: { failed: null, mixed: null, p99: null },
};

export interface Sizes {
  readonly overloadSeconds: number;
  readonly reloads: number;
}

export async function measureElsewhere(
  surroundings: Surroundings,
  { overloadSeconds, reloads }: Sizes,
  print: (line: string) => void,
): Promise<Elsewhere> {
  const [deep, check] = WORKS;
  const roundTrips: (number | null)[] = [];
  for (const work of WORKS) roundTrips.push(await countRoundTrips(work, surroundings));
  print(
    `\nRedis only, round trips per level of entities: ${WORKS.map(({ name }, at) => `${name} ${roundTrips[at] ?? 'not all of it was kept'}`).join(', ')}`,
  );

  const overload = await measureOverload(deep, surroundings, { seconds: overloadSeconds });
  print(
    overload.goodput === null
      ? 'three times its capacity: nothing was shed with 503 and Retry-After'
      : `three times its capacity: ${overload.goodput} of its best; ${overload.shed} shed, told within ${overload.shedP99Ms} ms (p99)`,
  );
  const reload = await measureReload(check, surroundings, { reloads });
  print(
    reload === null
      ? 'reloads: the gateway does not see that its supergraph’s file changed'
      : `reloads: ${JSON.stringify(reload)}`,
  );
  const { p50, p99 } = await overhead(print);
  return {
    redisOnly: {
      roundTripsPerLevel: roundTrips.every((one) => one !== null) ? round(Math.max(...roundTrips)) : null,
    },
    overhead: { p50, p99 },
    overload: { goodput: overload.goodput },
    reload: { failed: reload?.failed ?? null, mixed: reload?.mixed ?? null, p99: reload?.p99 ?? null },
  };
}
