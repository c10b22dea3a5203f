/** Leaves a system alone after failures in a row, then asks it once. Its time is the clock's, not the wall's. */
import type { Clock } from './clock.ts';

export type BreakerState = 'closed' | 'open' | 'half-open';

/** `unknown`: the call ended for a reason that says nothing about the system, such as a caller who left. */
export type CallVerdict = 'answered' | 'failed' | 'unknown';

export interface Breaker {
  /** Whether a call could be made now. Changes nothing. */
  isClosedTo(): boolean;
  /** Takes leave to call: how it ended is told once to the function that is returned. Null while the system is left alone. */
  enter(): ((verdict: CallVerdict) => void) | null;
}

export function createBreaker(
  { failures, coolDownMs }: { readonly failures: number; readonly coolDownMs: number },
  clock: Clock,
  onState: (state: BreakerState) => void,
): Breaker {
  let state: BreakerState = 'closed';
  let inARow = 0;
  let openUntil = 0;
  // What a call says that was begun before the last change of state is about a system of the past.
  let epoch = 0;

  function become(next: BreakerState): void {
    state = next;
    epoch += 1;
    inARow = 0;
    onState(next);
  }

  function open(until: number): void {
    openUntil = until;
    become('open');
  }

  /** While the one call is out that tries the system again, nobody else waits for how it ends. */
  const isClosedTo = () => state === 'half-open' || (state === 'open' && clock.now() < openUntil);

  return {
    isClosedTo,
    enter() {
      if (isClosedTo()) return null;
      if (state === 'open') become('half-open');
      const isTrial = state === 'half-open';
      const begun = epoch;
      return (verdict) => {
        if (epoch !== begun) return;
        if (verdict === 'answered') {
          if (isTrial) become('closed');
          inARow = 0;
        } else if (verdict === 'unknown') {
          // The trial came to nothing: the next caller makes another one.
          if (isTrial) open(clock.now());
        } else {
          inARow += 1;
          if (isTrial || inARow >= failures) open(clock.now() + coolDownMs);
        }
      };
    },
  };
}
