/** One small JSON message to a one-way gateway (边界接入) and its answer. */
import { LegacyError } from '../adapter.ts';
import { assertStatus, createOneCallConnections, readJsonText, toHttpFault } from '../http.ts';

export interface WireAnswer {
  readonly status: number;
  /** Null where the status says that there is no content. */
  readonly content: unknown;
}

export interface Wire {
  /** Rejects with a LegacyError for anything but 200, 202, 204 and 404. */
  send(method: 'GET' | 'POST', path: string, body: unknown, signal: AbortSignal): Promise<WireAnswer>;
  close(): Promise<void>;
}

export function createWire(options: {
  readonly system: string;
  readonly url: string;
  readonly accessKey: string;
  readonly maxBytes: number;
}): Wire {
  const { system } = options;
  const root = new URL(options.url);
  const prefix = root.pathname.replace(/\/$/, '');
  const connections = createOneCallConnections(root.origin, options.maxBytes);

  return {
    async send(method, path, body, signal) {
      try {
        return await connections.use(async (client) => {
          const response = await client.request({
            method,
            path: prefix + path,
            headers: { 'x-access-key': options.accessKey, 'content-type': 'application/json; charset=utf-8' },
            body: body === null ? null : JSON.stringify(body),
            signal,
          });
          const bytes = new Uint8Array(await response.body.arrayBuffer());
          const { statusCode: status } = response;
          assertStatus(system, status, {
            expected: [200, 202, 204, 404],
            busy: 'takes no more questions today',
          });
          if (status === 204 || status === 404) return { status, content: null };
          const text = readJsonText(system, bytes, String(response.headers['content-type'] ?? ''));
          return { status, content: parseJson(system, text) };
        });
      } catch (error) {
        throw toHttpFault(error, system, signal);
      }
    },
    close: () => connections.close(),
  };
}

function parseJson(system: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Not the cause: it quotes what the system wrote.
    throw new LegacyError('malformed', system, 'answered with what is no JSON');
  }
}
