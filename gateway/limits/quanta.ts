/**
 * Answers whose time must not tell what was found: they leave at the end of a quantum, counted from the arrival of the
 * request, whatever happened in it. What takes longer than one quantum leaves at the end of a later one.
 */
export interface Pace {
  /** From now on this request's answer is held back. */
  hold(): void;
  /** Resolves at once, or when held at the end of the quantum. */
  end(): Promise<void>;
}

/** Begins with the arrival of a request. `quantumMs` > 0. */
export function createPace(quantumMs: number): Pace {
  const arrivedAt = performance.now();
  let isHeld = false;
  return {
    hold() {
      isHeld = true;
    },
    async end() {
      if (!isHeld) return;
      const leavesAt = toQuantumEnd(performance.now() - arrivedAt, quantumMs) + arrivedAt;
      // A timer may ring a little early: then it is set again.
      for (let left = leavesAt - performance.now(); left > 0; left = leavesAt - performance.now())
        await new Promise((resolve) => setTimeout(resolve, Math.ceil(left)));
    },
  };
}

/** The first multiple of `quantumMs`, at least one, that is not before `elapsedMs`. */
export function toQuantumEnd(elapsedMs: number, quantumMs: number): number {
  return Math.max(1, Math.ceil(elapsedMs / quantumMs)) * quantumMs;
}
