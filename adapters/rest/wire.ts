/** One POST of JSON and its answer, never larger than allowed. */
import { Client, errors } from 'undici';
import { LegacyError } from '../adapter.ts';

export interface Wire {
  /** The path as it stands in the request line. */
  pathOf(path: string): string;
  /** Text of a 200 answer in JSON. Rejects with a LegacyError. */
  post(
    path: string,
    headers: Readonly<Record<string, string>>,
    body: string,
    signal: AbortSignal,
  ): Promise<string>;
  close(): Promise<void>;
}

export function createWire(options: {
  readonly system: string;
  /** Root of the services; paths are appended. */
  readonly url: string;
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
    pathOf: (path) => prefix + path,
    async post(path, headers, body, signal) {
      const client = connect();
      try {
        const response = await client.request({
          method: 'POST',
          path,
          headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
          body,
          signal,
        });
        const content = new Uint8Array(await response.body.arrayBuffer());
        assertJson(system, response.statusCode, String(response.headers['content-type'] ?? ''));
        return decode(system, content);
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

function assertJson(system: string, status: number, contentType: string): void {
  // 访问频率超限: the department is there, and takes no more calls for now.
  if (status === 429) throw new LegacyError('unavailable', system, 'takes no more calls for now');
  if (status >= 500) throw new LegacyError('unavailable', system, `answered ${status}`);
  if (status >= 400) throw new LegacyError('refused', system, `answered ${status}`);
  if (status !== 200) throw new LegacyError('malformed', system, `answered ${status}`);
  if (!/^application\/json\b/i.test(contentType))
    throw new LegacyError('malformed', system, 'answered with something else than JSON');
}

function decode(system: string, content: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch {
    throw new LegacyError('malformed', system, 'answered in another character set than UTF-8');
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
