/**
 * Who is let in when more is asked than one thread can do. What is scarce is that thread, not places: departments that take
 * their time fill the gateway with requests that wait and need nothing. So nothing is concluded from how many are inside.
 * Instead one request is let in for each turn of the event loop, at its end: a turn that had much to do lets in as many as a
 * short one, so that what comes in follows what gets done, and no turn gets long: whoever is refused hears it at once.
 *
 * Whoever finds somebody before him waits, if by the length of late turns he would have his turn in time, and is refused
 * on arrival otherwise: a place in a queue that is too long is a refusal told late. A burst is waited out; in a queue that
 * does not empty, patience is short (controlled delay: B. Maurer, "Fail at Scale", ACM Queue 13/8, 2015). The more
 * urgent goes first and may wait for longer; a small share of the work, not of the turns, is for who would never be let in
 * otherwise: one bulk query can be as much as a hundred checks.
 */
import { createError } from '../../schema/errors.ts';

/** The most urgent first. */
export const URGENCIES = ['check', 'bulk', 'public'] as const;
export type Urgency = (typeof URGENCIES)[number];

export interface Admission {
  /**
   * Resolves when the request may go on, which then must `leave`. Rejects with OVERLOADED: on arrival, or, seldom, when it was
   * overtaken for too long. `work`: how much it is, in the unit of `cost`.
   */
  enter(request: { urgency: Urgency; work: number; signal: AbortSignal }): Promise<void>;
  leave(): void;
  /** Seconds after which to ask again, when one more of this urgency is refused now; null: there is a place. Lets nobody in. */
  turnAway(urgency: Urgency): number | null;
}

export interface AdmissionOptions {
  /** Milliseconds of a clock that never jumps. */
  readonly now: () => number;
  /** Calls back at the end of this turn of the event loop. */
  readonly nextTurn: (call: () => void) => void;
  /** How long the most urgent may have to wait in a queue that does not empty; milliseconds. */
  readonly patienceMs: number;
  /** Bounds memory alone: each that is inside holds its request and what was answered so far. */
  readonly mostInside: number;
  readonly onAdmitted: (urgency: Urgency, waitedMs: number) => void;
  readonly onRefused: (urgency: Urgency) => void;
}

interface Waiting {
  readonly work: number;
  readonly signal: AbortSignal;
  readonly since: number;
  readonly letIn: () => void;
  readonly refuse: (error: Error) => void;
}

/** Of the most urgent's patience, in a queue that does not empty. */
const PATIENCE: Readonly<Record<Urgency, number>> = { check: 1, bulk: 1 / 2, public: 1 / 4 };
/** How many times as long one waits in a burst. */
const BURST = 5;
/** Seconds after which one who was refused may ask again; the less urgent come back later. */
const RETRY_AFTER: Readonly<Record<Urgency, number>> = { check: 1, bulk: 2, public: 5 };
/** After so long without being empty a queue is no burst. */
const STANDING_AFTER_MS = 500;
/** Of what is let in while others wait, the share for the less urgent. */
const LEAST_SHARE = 1 / 16;
/** So many of each may always wait: checks that came together during one long turn, the others for their share. */
const LEAST_PLACES: Readonly<Record<Urgency, number>> = { check: 32, bulk: 2, public: 2 };
/** Overtaken for so long, somebody is refused after all. */
const LONGEST_WAIT_MS = 2_000;
/** How much the newest turn weighs in the length that is expected of one. */
const WEIGHT = 0.02;

export function createAdmission(options: AdmissionOptions): Admission {
  const { now, nextTurn } = options;
  const queues = new Map<Urgency, Waiting[]>(URGENCIES.map((urgency) => [urgency, []]));
  const queueOf = (urgency: Urgency) => queues.get(urgency) ?? [];
  let inside = 0;
  /** Work that the less urgent may take before the more urgent. */
  let credit = 0;
  let turnMs = 1;
  /** Begin of the turn in which somebody was let in; null: nobody was since the last turn ended. */
  let turnBegan: number | null = null;
  /** Since when somebody waits; null: nobody does. */
  let busySince: number | null = null;

  function isFull(urgency: Urgency): boolean {
    if (inside >= options.mostInside) return true;
    if (turnBegan === null) return false;
    const own = queueOf(urgency).length;
    if (own < LEAST_PLACES[urgency]) return false;
    const before = URGENCIES.slice(0, URGENCIES.indexOf(urgency)).reduce(
      (sum, more) => sum + queueOf(more).length,
      own,
    );
    const isStanding = busySince !== null && now() - busySince > STANDING_AFTER_MS;
    return (before + 1) * turnMs > options.patienceMs * PATIENCE[urgency] * (isStanding ? 1 : BURST);
  }

  function refusal(urgency: Urgency): Error {
    options.onRefused(urgency);
    return createError('OVERLOADED', { extensions: { retryAfter: RETRY_AFTER[urgency] } });
  }

  function admit(urgency: Urgency, waitedMs: number): void {
    inside += 1;
    options.onAdmitted(urgency, waitedMs);
  }

  /** The end of a turn in which somebody was let in. */
  function endTurn(): void {
    const at = now();
    if (busySince !== null && turnBegan !== null) turnMs += WEIGHT * (at - turnBegan - turnMs);
    turnBegan = null;
    const next = inside < options.mostInside ? takeNext(at) : null;
    if (next) beginTurn(at);
    if (URGENCIES.some((urgency) => queueOf(urgency).length > 0)) return;
    busySince = null;
    credit = 0;
  }

  function beginTurn(at: number): void {
    turnBegan = at;
    nextTurn(endTurn);
  }

  function takeNext(at: number): Waiting | null {
    const first = URGENCIES.find((urgency) => headOf(urgency, at) !== null);
    if (first === undefined) return null;
    // The least urgent of those whose work was saved up for.
    const chosen =
      URGENCIES.findLast((urgency) => (headOf(urgency, at)?.work ?? Infinity) <= credit) ?? first;
    const one = queueOf(chosen).shift();
    if (!one) return null;
    if (chosen === first) credit += one.work * LEAST_SHARE;
    else credit -= one.work;
    admit(chosen, at - one.since);
    one.letIn();
    return one;
  }

  /** The first who still waits. */
  function headOf(urgency: Urgency, at: number): Waiting | null {
    const queue = queueOf(urgency);
    for (let head = queue[0]; head; head = queue[0]) {
      if (!head.signal.aborted && at - head.since <= LONGEST_WAIT_MS) return head;
      queue.shift();
      head.refuse(head.signal.aborted ? createError('OVERLOADED') : refusal(urgency));
    }
    return null;
  }

  return {
    turnAway(urgency) {
      if (!isFull(urgency)) return null;
      options.onRefused(urgency);
      return RETRY_AFTER[urgency];
    },
    leave() {
      inside -= 1;
      // Full to the last place nothing moved until now.
      if (busySince !== null && turnBegan === null) beginTurn(now());
    },
    async enter({ urgency, ...asked }) {
      if (isFull(urgency)) throw refusal(urgency);
      const at = now();
      if (turnBegan === null) {
        beginTurn(at);
        admit(urgency, 0);
        return;
      }
      busySince ??= at;
      await new Promise<void>((letIn, refuse) =>
        queueOf(urgency).push({ ...asked, since: at, letIn, refuse }),
      );
    },
  };
}
