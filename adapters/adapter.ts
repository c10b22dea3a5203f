/**
 * The seam to every legacy system: one bounded call that ends in rows or in one of four faults.
 *
 * An adapter knows a protocol and no department. What comes back is decoded (characters, envelopes, pages) but not yet
 * understood: a department's `source.ts` parses the rows, and nothing behind it sees a legacy column name.
 */

/** What one call may take: `signal` ends it on the wire, `deadline` is the same limit as a time of the call's clock (ms). */
export interface CallContext {
  readonly signal: AbortSignal;
  readonly deadline: number;
}

/** One record as the legacy system wrote it: column name → raw value. */
export type LegacyRow = Readonly<Record<string, unknown>>;

/** `asOf`: the moment (ISO 8601) for which the system says its rows hold; null when it does not say. */
export interface LegacyReply {
  readonly rows: readonly LegacyRow[];
  readonly asOf: string | null;
}

export interface Adapter<Request> {
  /** Name of the legacy system, as it stands in errors, metrics and `source.system`. */
  readonly system: string;
  readonly protocol: 'sql' | 'file-drop' | 'soap' | 'rest' | 'verdict';
  /** Rejects with a LegacyError and with nothing else. */
  call(request: Request, context: CallContext): Promise<LegacyReply>;
  close(): Promise<void>;
}

/**
 * The closed list of what can go wrong with a legacy system.
 * - `unavailable`: not reached, reset, out of service window, breaker open, quota used up, over-full bulkhead
 * - `timeout`: reached or not, it did not answer before the deadline
 * - `refused`: it answered, and said no (credentials, token, error inside a 200)
 * - `malformed`: it answered with what cannot be trusted (truncated, garbled, wrong encoding, HTML, oversize, drifted schema)
 */
export type LegacyFault = 'unavailable' | 'timeout' | 'refused' | 'malformed';

/** `message` names the system and the fact, never a subject: "tax store answered with a truncated page". */
export class LegacyError extends Error {
  readonly fault: LegacyFault;
  readonly system: string;

  constructor(fault: LegacyFault, system: string, fact: string, cause?: unknown) {
    super(`${system} ${fact}`, cause === undefined ? undefined : { cause });
    this.name = 'LegacyError';
    this.fault = fault;
    this.system = system;
  }
}

export function isLegacyError(error: unknown): error is LegacyError {
  return error instanceof LegacyError;
}
