/**
 * Three times what the gateway can do. First its peak, before and after: clients that ask again when they were answered. Then
 * bank's checks at three times that rate, whether they are answered or not; then half of it in checks and the rest in bulk
 * queries of the same bank. The load comes from this process, the gateway has one of its own.
 */
import { BULK, CHECK, startGatewayProcess } from './overload/gateway-process.ts';
import type { Answered } from './overload/load.ts';
import { createLoad } from './overload/load.ts';
import { quantile, round } from './quantile.ts';

export interface OverloadFigures extends Readonly<Record<string, unknown>> {
  /** Checks answered at three times the capacity / at the peak. */
  readonly goodput: number;
  /** The same for each second of the gateway's own processor time: what others do on the machine is not in it. */
  readonly goodputPerCpu: number;
  /** Checks a second. */
  readonly peak: number;
  /** As whoever was refused saw it. */
  readonly shedP99Ms: number;
  readonly shedP50Ms: number;
  /** Share of the refusals that were 503 with Retry-After; the aim is 1. */
  readonly shedInOrder: number;
  /** Share of checks at half the capacity that were answered while bulk queries came at two and a half times it; the aim is 1. */
  readonly checksBesideBulk: number;
  readonly bulkShed: number;
}

const CLIENTS = 16;
const TIMES = 3;

export async function overload(
  print: (line: string) => void,
  { seconds }: { readonly seconds: number },
): Promise<OverloadFigures> {
  const gateway = await startGatewayProcess();
  const load = await createLoad(gateway.url);
  const peakSeconds = Math.max(2, seconds / 6);
  try {
    await load.closed(CHECK, CLIENTS, Math.max(3, peakSeconds));
    await load.closed(BULK, 2, 1);
    await load.closed(CHECK, CLIENTS, peakSeconds);
    const perCpu = async <T>(work: () => Promise<T>, good: (done: T) => number) => {
      const spent = gateway.cpuSeconds();
      const done = await work();
      return { done, perCpu: good(done) / (gateway.cpuSeconds() - spent) };
    };
    const closed = () =>
      perCpu(
        () => load.closed(CHECK, CLIENTS, peakSeconds),
        (rate) => rate * peakSeconds,
      );
    const atPeak = await closed();
    const before = atPeak.done;
    print(`  peak before: ${round(before)} checks a second`);
    const overloaded = await perCpu(
      () => load.open(CHECK, TIMES * before, seconds),
      (answered) => answered.filter(isGood).length,
    );
    const over = overloaded.done;
    const again = await closed();
    const after = again.done;
    print(`  peak after: ${round(after)} checks a second`);
    const peak = (before + after) / 2;
    const [checks, bulk] = await Promise.all([
      load.open(CHECK, 0.5 * after, seconds / 2),
      load.open(BULK, 2.5 * after, seconds / 2),
    ]);
    const shed = over.filter(isShed);
    const shedMs = shed.map(({ ms }) => ms);
    const figures = {
      goodput: round(over.filter(isGood).length / seconds / peak),
      goodputPerCpu: round((2 * overloaded.perCpu) / (atPeak.perCpu + again.perCpu)),
      peak: round(peak),
      asked: over.length,
      goodP50Ms: round(
        quantile(
          over.filter(isGood).map(({ ms }) => ms),
          0.5,
        ),
      ),
      goodP99Ms: round(
        quantile(
          over.filter(isGood).map(({ ms }) => ms),
          0.99,
        ),
      ),
      shedP50Ms: round(quantile(shedMs, 0.5)),
      shedP99Ms: round(quantile(shedMs, 0.99)),
      shedInOrder: round(
        shed.filter(({ hasRetryAfter }) => hasRetryAfter).length / (over.length - over.filter(isGood).length),
      ),
      checksBesideBulk: round(checks.filter(isGood).length / checks.length),
      bulkShed: round(bulk.filter(isShed).length / bulk.length),
    };
    print(
      `${over.length} checks at ${TIMES} × ${figures.peak} a second: goodput ${figures.goodput} of the peak (${figures.goodputPerCpu} for the same processor time)`,
    );
    print(
      `  refused after ${figures.shedP50Ms} ms (p99 ${figures.shedP99Ms}), answered after ${figures.goodP50Ms} ms (p99 ${figures.goodP99Ms})`,
    );
    print(
      `  beside bulk: ${figures.checksBesideBulk} of the checks answered, ${figures.bulkShed} of the bulk refused`,
    );
    return figures;
  } finally {
    await load.close();
    await gateway.close();
  }
}

export default function main(
  print: (line: string) => void,
  flags: readonly string[],
): Promise<OverloadFigures> {
  const at = flags.indexOf('--seconds');
  return overload(print, { seconds: at === -1 ? 60 : Number(flags[at + 1]) });
}

const isGood = ({ status }: Answered) => status === 200;
const isShed = ({ status }: Answered) => status === 503;
