/** One small JSON message to a one-way gateway (边界接入) and its answer. */
import { Client, errors } from 'undici';
import { LegacyError } from '../adapter.ts';

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
  const open = new Set<Client>();

  /** A connection for this call alone: at a few calls a second it costs nothing, and none dies of one that was closed meanwhile. */
  function connect(): Client {
    // The caller's signal is the only clock that counts.
    const limits = { pipelining: 0, headersTimeout: 0, bodyTimeout: 0, maxResponseSize: options.maxBytes };
    const client = new Client(root.origin, limits);
    open.add(client);
    return client;
  }

  return {
    async send(method, path, body, signal) {
      const client = connect();
      try {
        const response = await client.request({
          method,
          path: prefix + path,
          headers: { 'x-access-key': options.accessKey, 'content-type': 'application/json; charset=utf-8' },
          body: body === null ? null : JSON.stringify(body),
          signal,
        });
        const bytes = new Uint8Array(await response.body.arrayBuffer());
        const { statusCode: status } = response;
        assertExpected(system, status);
        if (status === 204 || status === 404) return { status, content: null };
        return { status, content: decode(system, bytes, String(response.headers['content-type'] ?? '')) };
      } catch (error) {
        throw toLegacyError(error, system, signal);
      } finally {
        open.delete(client);
        await client.destroy();
      }
    },
    async close() {
      await Promise.all([...open].map((client) => client.destroy()));
    },
  };
}

function assertExpected(system: string, status: number): void {
  if ([200, 202, 204, 404].includes(status)) return;
  if (status === 429) throw new LegacyError('unavailable', system, 'takes no more questions today');
  if (status >= 500) throw new LegacyError('unavailable', system, `answered ${status}`);
  if (status >= 400) throw new LegacyError('refused', system, `answered ${status}`);
  throw new LegacyError('malformed', system, `answered ${status}`);
}

function decode(system: string, bytes: Uint8Array, contentType: string): unknown {
  if (!/^application\/json\b/i.test(contentType))
    throw new LegacyError('malformed', system, 'answered with something else than JSON');
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch {
    // Not the cause: it quotes what the system wrote.
    throw new LegacyError('malformed', system, 'answered with what is no JSON in UTF-8');
  }
}

const MALFORMED = [
  errors.ResponseExceededMaxSizeError,
  errors.ResponseContentLengthMismatchError,
  errors.HTTPParserError,
  errors.HeadersOverflowError,
];

function toLegacyError(error: unknown, system: string, signal: AbortSignal): LegacyError {
  if (error instanceof LegacyError) return error;
  if (signal.aborted) return new LegacyError('timeout', system, 'did not answer before the deadline', error);
  if (error instanceof errors.ConnectTimeoutError)
    return new LegacyError('timeout', system, 'could not be connected to in time', error);
  if (MALFORMED.some((kind) => error instanceof kind))
    // Not the cause: the HTTP parser's error holds the bytes.
    return new LegacyError('malformed', system, 'answered with what is no sound HTTP message');
  return new LegacyError('unavailable', system, 'could not be reached, or broke off', error);
}
