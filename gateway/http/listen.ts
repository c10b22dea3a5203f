/** Hears what comes, one after the other, for as long as somebody waits for it. */

/** Nothing came for so long. */
export const BEAT = Symbol('beat');

/**
 * What `answers` gives, each asked for when the one before was taken, and a BEAT whenever `beatMs` pass without one (null:
 * never). Ends at once when the signal is aborted, whatever `answers` is busy with.
 */
export async function* listen<T>(
  answers: AsyncIterator<T, unknown>,
  signal: AbortSignal,
  beatMs: number | null,
): AsyncGenerator<T | typeof BEAT, void> {
  let next: Promise<IteratorResult<T, unknown>> | null = null;
  try {
    while (!signal.aborted) {
      next ??= answers.next();
      const heard = await soonest(next, signal, beatMs);
      if (heard === BEAT) yield BEAT;
      else if (heard === null || heard.done === true) return;
      else {
        next = null;
        yield heard.value;
      }
    }
  } finally {
    // Nobody hears how it ends.
    next?.catch(() => {});
  }
}

/** Says that nobody will ask for more. Not waited for: it may be busy, and what it is doing is told by its own log. */
export function letGo(answers: AsyncIterator<unknown, unknown>): void {
  answers.return?.().catch(() => {});
}

/** Null: the signal was aborted. Every listener and timer is gone afterwards: `next` may be waited for many times. */
function soonest<T>(
  next: Promise<IteratorResult<T, unknown>>,
  signal: AbortSignal,
  beatMs: number | null,
): Promise<IteratorResult<T, unknown> | typeof BEAT | null> {
  return new Promise((resolve, reject) => {
    const timer = beatMs === null ? undefined : setTimeout(() => settle(() => resolve(BEAT)), beatMs);
    const onAbort = () => settle(() => resolve(null));
    const settle = (tell: () => void) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      tell();
    };
    signal.addEventListener('abort', onAbort);
    next.then(
      (result) => settle(() => resolve(result)),
      (error: unknown) => settle(() => reject(error instanceof Error ? error : new Error(String(error)))),
    );
  });
}
