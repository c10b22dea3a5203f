/** The figures that the targets speak of, out of what was measured: ratios are Jinxin / the other, of CPU per request. */
import { round } from '../quantile.ts';
import type { ContestantKind } from './contestants.ts';
import type { Measured } from './measure.ts';
import { medianOf, ratioOf } from './measure.ts';
import type { Mode } from './modes.ts';
import type { Result } from './run.ts';
import type { Work } from './works.ts';

/** null: not measured in this run, or not there to be measured. */
export interface GatewayFigures {
  readonly uncached: {
    readonly handwritten: number | null;
    readonly handwrittenFull: number | null;
    readonly hiveRust: number | null;
    readonly apollo: number | null;
  };
  readonly warm: { readonly apollo: number | null; readonly subgraphCalls: number | null };
  readonly redisOnly: { readonly roundTripsPerLevel: number | null };
  readonly overhead: { readonly p50: number | null; readonly p99: number | null };
  readonly overload: { readonly goodput: number | null };
  readonly reload: {
    readonly failed: number | null;
    readonly mixed: number | null;
    readonly p99: number | null;
  };
  readonly rssMb: number | null;
}

/** Of the first work; what is measured elsewhere is handed in. */
export function toFigures(
  results: readonly Result[],
  elsewhere: Pick<GatewayFigures, 'redisOnly' | 'overhead' | 'overload' | 'reload'>,
): GatewayFigures {
  const of = (mode: Mode['name'], kind: ContestantKind) => find(results, 'deep', mode, kind);
  const ratio = (mode: Mode['name'], ours: ContestantKind, theirs: ContestantKind) => {
    const [one, other] = [of(mode, ours), of(mode, theirs)];
    return one && other ? round(ratioOf(one, other)) : null;
  };
  const warm = of('cached', 'jinxinWarm');
  const bare = of('distinct', 'jinxin');
  return {
    uncached: {
      handwritten: ratio('distinct', 'jinxin', 'handwritten'),
      handwrittenFull: ratio('distinct', 'jinxinFull', 'handwritten'),
      hiveRust: ratio('distinct', 'jinxin', 'hiveRust'),
      apollo: ratio('distinct', 'jinxin', 'apollo'),
    },
    warm: {
      apollo: ratio('cached', 'jinxinWarm', 'apollo'),
      subgraphCalls: warm ? round(medianOf(warm, 'calls')) : null,
    },
    ...elsewhere,
    rssMb: bare ? Math.round(bare.peakRssMb) : null,
  };
}

function find(
  results: readonly Result[],
  work: Work['name'],
  mode: Mode['name'],
  kind: ContestantKind,
): Measured | undefined {
  return results
    .find((result) => result.work.name === work && result.mode.name === mode)
    ?.measured.find((one) => one.kind === kind);
}
