/** What the gateway asks of its planning thread, and what comes back. Everything here crosses a thread: plain data only. */
import type { QueryPlan } from '@apollo/query-planner';

export interface ThreadSettings {
  /** The supergraph as the planner is given it. */
  readonly sdl: string;
}

export type Job =
  | { readonly kind: 'validate'; readonly query: string; readonly mayIntrospect: boolean }
  | { readonly kind: 'plan'; readonly document: string; readonly operationName: string | null }
  | {
      readonly kind: 'introspect';
      readonly document: string;
      readonly variables: Readonly<Record<string, unknown>>;
    };

/** A rule of GraphQL that a document breaks; `extensions` are those of our own table, when a scalar of ours refused a value. */
export interface Problem {
  readonly message: string;
  readonly positions: readonly number[];
  readonly extensions: Readonly<Record<string, unknown>> | null;
}

export interface JobAnswers {
  /** Empty when the document is valid. */
  readonly validate: readonly Problem[];
  readonly plan: QueryPlan;
  readonly introspect: Readonly<Record<string, unknown>>;
}

/**
 * `json` is the answer as text: one string crosses a thread faster than a tree of objects. `refused` is an operation that
 * cannot be planned, or an answer that would be too large; `failed` is a fault of ours.
 */
export type ThreadReply =
  /** `task`: the file in which the kernel counts the thread's time on a processor; null where there is none. */
  | { readonly kind: 'started'; readonly task: string | null }
  | { readonly kind: 'answered'; readonly json: string }
  | { readonly kind: 'refused'; readonly limit: 'planning' | 'introspection' }
  | { readonly kind: 'failed'; readonly message: string };
