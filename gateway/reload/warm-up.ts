/** Prepares for a new graph, before it is served, the operations that were asked lately of the one before it. */
import type { Asker } from '../authorization/decide.ts';
import type { Rights } from '../authorization/rights.ts';
import type { KnownOperation } from '../operations/known.ts';
import type { Prepare } from '../operations/prepare.ts';

export interface WarmUp {
  readonly prepared: number;
  /** Of those, how many the new graph does not answer any more. */
  readonly refused: number;
  /** Not reached before the time was over: each is prepared when it is asked. */
  readonly left: number;
}

export async function warmUp(
  operations: readonly KnownOperation[],
  graph: { readonly prepare: Prepare; readonly rightsOf: (asker: Asker) => Rights },
  { longestMs, now, stop }: { longestMs: number; now: () => number; stop: AbortSignal },
): Promise<WarmUp> {
  const until = now() + longestMs;
  let prepared = 0;
  let refused = 0;
  for (const { query, operationName, variables, asker, mayIntrospect } of operations) {
    if (now() > until || stop.aborted) break;
    // A name of its own for each: one that takes too long must not cost the others their turn.
    const request = { query, operationName, variables, consumer: `warm-up ${prepared}` };
    const isUsable = await graph.prepare(request, graph.rightsOf(asker), mayIntrospect).then(
      (made) => 'hash' in made,
      () => false,
    );
    prepared += 1;
    if (!isUsable) refused += 1;
  }
  return { prepared, refused, left: operations.length - prepared };
}
