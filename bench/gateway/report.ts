/** Figures as a person reads them. */
import Table from 'cli-table3';
import { CONTESTANTS } from './contestants.ts';
import type { Measured } from './measure.ts';
import { medianOf, ratioOf } from './measure.ts';

export const HEADINGS = [
  '',
  'CPU ms/request',
  'Jinxin ÷ it',
  'requests/s',
  'p50 ms',
  'p99 ms',
  'peak MB',
  'calls/request',
  'representations/request',
] as const;

/** One row a contestant, in the order of HEADINGS; the ratio is that of the first Jinxin among them. */
export function toRows(measured: readonly Measured[]): readonly (readonly string[])[] {
  const ours = measured.find(({ kind }) => kind.startsWith('jinxin'));
  return measured.map((one) => [
    CONTESTANTS[one.kind].title,
    digits(medianOf(one, 'cpuMs'), 2),
    ours && one !== ours ? digits(ratioOf(ours, one), 3) : '–',
    digits(medianOf(one, 'requestsPerSecond'), 0),
    digits(medianOf(one, 'p50'), 1),
    digits(medianOf(one, 'p99'), 1),
    digits(one.peakRssMb, 0),
    digits(medianOf(one, 'calls'), 2),
    digits(medianOf(one, 'representations'), 1),
  ]);
}

export function toTable(title: string, measured: readonly Measured[]): string {
  const table = new Table({ head: [...HEADINGS], style: { head: [], border: [], compact: true } });
  for (const row of toRows(measured)) table.push([...row]);
  return `\n${title}\n${table.toString()}`;
}

const digits = (value: number, places: number) => value.toFixed(places);
