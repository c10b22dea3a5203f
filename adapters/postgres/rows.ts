/** One statement in, rows of a known shape out, or a LegacyError. */
import { z } from 'zod';
import type { Adapter, CallContext } from '../adapter.ts';
import { LegacyError } from '../adapter.ts';
import type { Statement } from './store.ts';

/** Every row as `schema` reads it. Rejects with LegacyError `malformed` when one is of another shape, else as the store does. */
export async function askRows<Row>(
  store: Adapter<Statement>,
  schema: z.ZodType<Row>,
  statement: Statement,
  context: CallContext,
): Promise<readonly Row[]> {
  const { rows } = await store.call(statement, context);
  const parsed = z.array(schema).safeParse(rows);
  // What was found wrong is not passed on: it could quote the row, and a row speaks of somebody.
  if (!parsed.success) throw new LegacyError('malformed', store.system, 'answered rows of another shape');
  return parsed.data;
}
