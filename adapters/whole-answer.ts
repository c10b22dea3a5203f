import type { LegacyRow } from './adapter.ts';
import { LegacyError } from './adapter.ts';

/**
 * The rows of an answer, one for each that the system counts (`total`). A row that was sent twice is one; that many different
 * rows have to be there, or a repeated one stands where another is missing. Throws LegacyError malformed.
 */
export function assertWhole(system: string, rows: readonly LegacyRow[], total: number): readonly LegacyRow[] {
  const once = [...new Map(rows.map((row) => [JSON.stringify(row), row])).values()];
  if (once.length === total) return once;
  throw new LegacyError('malformed', system, 'sent another number of rows than it says there are');
}
