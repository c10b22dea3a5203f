/** What the door hands to the gateway, what it gets back, and the status that an answer has. */
import type { GraphQLFormattedError } from 'graphql';
import type { Principal } from '../../schema/principal.ts';
import { ERRORS, isErrorCode } from '../../schema/errors.ts';
import { GRAPHQL } from './delivery.ts';

export interface GatewayRequest {
  readonly principal: Principal;
  /** Whom the rate is counted for. */
  readonly consumer: string;
  /** Empty when the operation is only named, by `documentId`. */
  readonly query: string;
  /** Of a registered operation; null when the client sent none. */
  readonly documentId: string | null;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly operationName: string | null;
  /** The Idempotency-Key header, 1 to 128 visible ASCII characters: what a request that is repeated under it uses is counted once. */
  readonly idempotencyKey: string | null;
  /** Told the cost of the operation when it is known. */
  readonly onCost?: (cost: number) => void;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  /** What the client can read, by its Accept header. */
  readonly takes: {
    /** Without it nothing may be deferred: `@defer` is as if it were not there, and all is in one answer. */
    readonly parts: boolean;
    /** Without it a subscription is refused before anything is asked. */
    readonly events: boolean;
  };
}

export interface GatewayAnswer {
  /** Absent when the request was refused before execution. */
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: readonly GraphQLFormattedError[];
  readonly extensions?: Readonly<Record<string, unknown>>;
  /** `performance.now()` by which it must have left: the consents that it rests on are confirmed until then. Not sent. */
  readonly leaveBy?: number;
}

/** A fragment with `@defer` whose data is to come. */
export interface PendingFragment {
  /** Of the gateway's own choice; no two fragments of one answer have the same. */
  readonly id: string;
  /** Where its fields belong, in the client's response names. */
  readonly path: readonly (string | number)[];
  /** As the client wrote it; absent when it wrote none. */
  readonly label?: string;
}

/** What a deferred fragment came to. Released by itself: its own receipt in `extensions`, its own `leaveBy`. */
export interface DeferredPart extends GatewayAnswer {
  readonly id: string;
  /** The fragment's fields at its path, and none that an earlier part held; null when it failed, as `errors` then say. */
  readonly data: Readonly<Record<string, unknown>> | null;
  /** Fragments inside this one that are still to come. */
  readonly pending?: readonly PendingFragment[];
}

/** An answer in parts: a first one, and one for each fragment that was deferred. */
export interface DeferredAnswer {
  readonly kind: 'deferred';
  readonly first: GatewayAnswer & { readonly data: Readonly<Record<string, unknown>> };
  /** At least one. */
  readonly pending: readonly PendingFragment[];
  /**
   * Such as an async generator. Ends when every fragment has come. One that throws, or ends early, fails the fragments that
   * are still to come: with the error when it is one of the table, else with INTERNAL. It is asked for the next part when the
   * one before is on its way; when nobody waits for more the request's signal is aborted, and in any case `return()` is
   * called at last. A part leaves when it is given: what must be paced, recorded or confirmed is so before.
   */
  readonly parts: AsyncIterator<DeferredPart, unknown>;
}

/** What a subscription gives: one answer for each event. */
export interface EventsAnswer {
  readonly kind: 'events';
  /** Ends when the subscription is over; one that throws ends with an answer that holds the error. Asked and ended as above. */
  readonly answers: AsyncIterator<GatewayAnswer, unknown>;
}

/** Of a request that `takes` no parts never a deferred one, of one that takes no events never events. */
export type GatewayReply = GatewayAnswer | DeferredAnswer | EventsAnswer;

export function isStream(reply: GatewayReply): reply is DeferredAnswer | EventsAnswer {
  return 'kind' in reply;
}

/**
 * An answer that was executed is 200, partial or not. A request that was refused has the status of its first error of the
 * table; what is wrong with the operation itself is 400 under the new media type and 200 under application/json, where
 * intermediaries may hide a body that comes with another status (GraphQL over HTTP, 6.4.1).
 */
export function statusFor(
  answer: GatewayAnswer,
  type: string,
): { status: number; headers: Record<string, string> } {
  if ('data' in answer) return { status: 200, headers: {} };
  for (const { extensions } of answer.errors ?? []) {
    const code = extensions?.['code'];
    const status = isErrorCode(code) ? ERRORS[code].status : null;
    if (status !== null && status !== 400) {
      const wait = extensions?.['retryAfter'];
      return {
        status,
        headers:
          status === 429 || status === 503
            ? { 'retry-after': typeof wait === 'number' ? String(wait) : '1' }
            : {},
      };
    }
  }
  return { status: type === GRAPHQL ? 400 : 200, headers: {} };
}
