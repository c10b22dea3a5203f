/**
 * How the client wants its answer, by its Accept header: one answer, one in parts (`@defer`), or one for each event.
 *
 * There are two formats of parts. Clients that can do the newer one (https://specs.apollo.dev/incremental/v0.2) say so;
 * those that name no format get the older one (2022-08-24), since urql, for one, reads both but does not hear of errors of
 * the newer, and what could not be found out would look as if it were not there.
 */
import type { MediaRange } from './accept.ts';
import { readAccept } from './accept.ts';

export const GRAPHQL = 'application/graphql-response+json; charset=utf-8';
const JSON_TYPE = 'application/json; charset=utf-8';

export type PartsFormat = 'deferSpec=20220824' | 'incrementalSpec=v0.2';
export type Envelope = 'multipart' | 'event-stream';

export interface Delivery {
  /** Content-Type of an answer that is JSON, and of every refusal. */
  readonly type: string;
  /** The client named `text/event-stream`, and nothing in which one answer could be plain JSON. */
  readonly isEventStream: boolean;
  /** Null: the client does not read parts. */
  readonly parts: { readonly envelope: Envelope; readonly format: PartsFormat } | null;
  /** Null: the client does not read events. */
  readonly events: Envelope | null;
}

export function toDelivery(accept: string | undefined): Delivery {
  const ranges = readAccept(accept);
  const isEventStream =
    ranges.some(({ type }) => type === 'text/event-stream') && weightOf(ranges, ...JSON_RANGES) === 0;
  return {
    type: isEventStream || prefersGraphql(ranges) ? GRAPHQL : JSON_TYPE,
    isEventStream,
    parts: firstOf(ranges, toParts),
    events: firstOf(ranges, toEvents),
  };
}

const GRAPHQL_RANGE = 'application/graphql-response+json';
const JSON_RANGES = [GRAPHQL_RANGE, 'application/json', 'application/*', '*/*'];

/** The new media type has to be named; whoever takes anything gets plain JSON. */
function prefersGraphql(ranges: readonly MediaRange[]): boolean {
  const weight = weightOf(ranges, GRAPHQL_RANGE);
  return weight > 0 && weight >= weightOf(ranges, 'application/json');
}

function weightOf(ranges: readonly MediaRange[], ...types: readonly string[]): number {
  return ranges.find(({ type }) => types.includes(type))?.weight ?? 0;
}

function firstOf<T>(ranges: readonly MediaRange[], read: (range: MediaRange) => T | null): T | null {
  for (const range of ranges) {
    const found = read(range);
    if (found !== null) return found;
  }
  return null;
}

function toParts({ type, parameters }: MediaRange): Delivery['parts'] {
  const isMultipart = type === 'multipart/mixed' && !parameters.has('subscriptionspec');
  if (!isMultipart && type !== 'text/event-stream') return null;
  const envelope = isMultipart ? 'multipart' : 'event-stream';
  const [newer, older] = [parameters.get('incrementalspec'), parameters.get('deferspec')];
  if (newer === 'v0.2') return { envelope, format: 'incrementalSpec=v0.2' };
  // A format that we do not know is none that we could guess.
  if (newer !== undefined || (older !== undefined && older !== '20220824')) return null;
  return { envelope, format: 'deferSpec=20220824' };
}

/** Multipart is Apollo's protocol for subscriptions, which has to be named. */
function toEvents({ type, parameters }: MediaRange): Envelope | null {
  if (type === 'text/event-stream') return 'event-stream';
  return type === 'multipart/mixed' && parameters.get('subscriptionspec') === '1.0' ? 'multipart' : null;
}
