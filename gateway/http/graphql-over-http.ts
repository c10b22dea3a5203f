/** The parts of the GraphQL-over-HTTP draft that are about status and content type. */
import type { GraphQLFormattedError } from 'graphql';
import type { Principal } from '../../schema/principal.ts';
import { ERRORS, isErrorCode } from '../../schema/errors.ts';

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
  readonly signal: AbortSignal;
}

export interface GatewayAnswer {
  /** Absent when the request was refused before execution. */
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: readonly GraphQLFormattedError[];
  readonly extensions?: Readonly<Record<string, unknown>>;
  /** `performance.now()` by which it must have left: the consents that it rests on are confirmed until then. Not sent. */
  readonly leaveBy?: number;
}

const GRAPHQL = 'application/graphql-response+json; charset=utf-8';
const JSON_TYPE = 'application/json; charset=utf-8';

/** `application/graphql-response+json` when the client names it, plain JSON otherwise. */
export function negotiate(accept: string | undefined): string {
  return accept?.includes('application/graphql-response+json') ? GRAPHQL : JSON_TYPE;
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
