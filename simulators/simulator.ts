/**
 * What a simulated legacy system is: a real server on loopback that speaks the department's real protocol, makes up its
 * records from the population, counts the calls that reach it, and breaks in the ways that such systems break.
 * `simulators/<department>/simulator.ts` exports one as its default; start.ts finds it by its folder.
 */
import type { Logger } from 'pino';
import type { Clock } from '../adapters/clock.ts';
import type { Registration } from './population/registrations.ts';

/** Faults that can be switched on; a system refuses by name those that its protocol cannot have. */
export const FAULTS = [
  'refuse', // connection refused or cut at once
  'slow', // answers after `SLOW_MS`
  'hang', // accepts and never answers
  'reset', // connection reset in the middle of the body
  'truncate', // body ends early, connection closed properly
  'garble', // bytes changed on the way
  'html', // a login page instead of data
  'oversize', // an answer far beyond any sensible size
  'wrong-encoding', // bytes of another character set than declared
  'duplicate-rows',
  'missing-rows', // fewer rows than the system itself says that there are
  'foreign-row', // a row of another subject, the most dangerous one
  'error-in-200', // success by protocol, failure in the body
  'expired-token', // credentials no longer accepted
  'schema-drift', // a column added at the end, another one renamed
] as const;
export type Fault = (typeof FAULTS)[number];

export const SLOW_MS = 6_000;

export interface SimulatorContext {
  readonly population: readonly Registration[];
  /** Everything made up follows from (seed, code): the same run twice is the same run. */
  readonly seed: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Milliseconds that every business answer takes (not logins, not handshakes). */
  readonly latencyMs: number;
  /** A PostgreSQL server for exchange databases: URL of `database`, which is created when it is not there. */
  postgres(database: string): Promise<string>;
}

export interface RunningSimulator {
  /** The department's settings, as environment variables (JINXIN_<NAME>_…). */
  readonly environment: Readonly<Record<string, string>>;
  readonly faults: readonly Fault[];
  /** null heals. Rejects for a fault that this protocol cannot have. */
  setFault(fault: Fault | null): Promise<void>;
  /** Business calls that reached the system so far: SQL statements, SOAP queries, REST requests, questions, files read. */
  calls(): number;
  /** Calls being answered right now. */
  openCalls(): number;
  close(): Promise<void>;
}

export interface Simulator {
  /** The department's folder name. */
  readonly name: string;
  start(context: SimulatorContext): Promise<RunningSimulator>;
}

export function defineSimulator(simulator: Simulator): Simulator {
  return simulator;
}
