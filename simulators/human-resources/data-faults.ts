/** How rows go wrong while everything around them is in order. */
import type { Fault } from '../simulator.ts';

export type Row = Readonly<Record<string, string>>;

/** The rows as they are sent. `foreign` makes a row of somebody else. */
export function withDataFault(fault: Fault | null, rows: readonly Row[], foreign: () => Row): readonly Row[] {
  if (fault === 'duplicate-rows') return rows.flatMap((row) => [row, row]);
  if (fault === 'missing-rows') return rows.slice(1);
  if (fault === 'foreign-row') return [foreign(), ...rows];
  if (fault === 'schema-drift') return rows.map(drift);
  return rows;
}

/** How many rows the system says that there are: it counts a foreign one in, and misses one that is not sent. */
export function countOf(fault: Fault | null, count: number): number {
  if (fault === 'foreign-row') return count + 1;
  // Somebody who has no rows gets one that is counted and not sent.
  return fault === 'missing-rows' ? Math.max(count, 1) : count;
}

/** The column with the code is called otherwise after an upgrade, and one more stands at the end. */
function drift({ AAB003, ...rest }: Row): Row {
  return { ...rest, AAB003A: AAB003 ?? '', KZZD1: '' };
}
