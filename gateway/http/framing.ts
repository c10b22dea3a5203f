/** How payloads follow one another in one body: multipart/mixed (RFC 2046), or text/event-stream as graphql-sse writes it. */
import type { Envelope, PartsFormat } from './delivery.ts';
import type { Payload } from './incremental.ts';

export interface Framing {
  /** Content-Type. */
  readonly type: string;
  /** Before the first payload. */
  readonly open: string;
  payload(payload: Payload): string;
  /** What says nothing but that we are there, for proxies that close what is silent; null where the format has no word for it. */
  readonly beat: string | null;
  /** After the last payload: all was sent. */
  readonly end: string;
}

/** For the parts of one answer. */
export function frameParts(envelope: Envelope, format: PartsFormat): Framing {
  return envelope === 'multipart' ? frameMultipart('-', format) : EVENT_STREAM;
}

/** For the events of a subscription. */
export function frameEvents(envelope: Envelope): Framing {
  if (envelope === 'event-stream') return EVENT_STREAM;
  // Apollo's protocol puts each answer into an envelope of its own, beside which errors of the transport could stand.
  const { payload, ...rest } = frameMultipart('graphql', 'subscriptionSpec=1.0');
  return { ...rest, payload: (answer) => payload({ payload: answer }), beat: payload({}) };
}

/** graphql-sse, “distinct connections mode”; a comment is the beat. */
export const EVENT_STREAM: Framing = {
  type: 'text/event-stream; charset=utf-8',
  open: '',
  payload: (payload) => `event: next\ndata: ${JSON.stringify(payload)}\n\n`,
  beat: ':\n\n',
  end: 'event: complete\ndata:\n\n',
};

/** The mark behind a part is sent with it: only then does a reader know that the part is whole. */
function frameMultipart(boundary: string, parameter: string): Framing {
  const mark = `\r\n--${boundary}`;
  return {
    type: `multipart/mixed; boundary="${boundary}"; ${parameter}`,
    open: mark,
    payload: (payload) =>
      `\r\ncontent-type: application/json; charset=utf-8\r\n\r\n${JSON.stringify(payload)}${mark}`,
    beat: null,
    end: '--\r\n',
  };
}
