/** The end of a request: one signal for all that it asks, because each signal and each timer costs. */

export interface TimeLimit {
  readonly signal: AbortSignal;
  /** `performance.now()` at which the time is up. */
  readonly deadline: number;
  /** To be called when the answer is there. */
  end(): void;
}

/** Aborted with `left`, or after so many milliseconds. */
export function createTimeLimit(left: AbortSignal, milliseconds: number): TimeLimit {
  const controller = new AbortController();
  const onLeft = () => controller.abort(left.reason);
  const timer = setTimeout(
    () => controller.abort(new DOMException('its time is up', 'TimeoutError')),
    milliseconds,
  );
  if (left.aborted) onLeft();
  else left.addEventListener('abort', onLeft, { once: true });
  return {
    signal: controller.signal,
    deadline: performance.now() + milliseconds,
    end() {
      clearTimeout(timer);
      left.removeEventListener('abort', onLeft);
    },
  };
}
