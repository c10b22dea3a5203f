/** What legacy protocols over HTTP have in common: how a call fails, and what bounds its connection. */
import { Client, errors } from 'undici';
import { LegacyError } from './adapter.ts';

/** Undici's options for a connection: the caller's signal is the only clock that counts. */
export const httpLimits = (maxBytes: number) => ({
  headersTimeout: 0,
  bodyTimeout: 0,
  maxResponseSize: maxBytes,
});

const MALFORMED = [
  errors.ResponseExceededMaxSizeError,
  errors.ResponseContentLengthMismatchError,
  errors.HTTPParserError,
  errors.HeadersOverflowError,
];

/** What went wrong on the wire, as one of the four faults. A LegacyError stays what it is. */
export function toHttpFault(error: unknown, system: string, signal: AbortSignal): LegacyError {
  if (error instanceof LegacyError) return error;
  if (signal.aborted) return new LegacyError('timeout', system, 'did not answer before the deadline', error);
  if (error instanceof errors.ConnectTimeoutError)
    return new LegacyError('timeout', system, 'could not be connected to in time', error);
  if (MALFORMED.some((kind) => error instanceof kind))
    // Not the cause: the HTTP parser's error holds the bytes.
    return new LegacyError('malformed', system, 'answered with what is no sound HTTP message');
  return new LegacyError('unavailable', system, 'could not be reached, or broke off', error);
}

/** Throws the LegacyError of a status that is not among those that the protocol reads; `busy` says what a 429 means. */
export function assertStatus(
  system: string,
  status: number,
  { expected, busy }: { readonly expected: readonly number[]; readonly busy: string },
): void {
  if (expected.includes(status)) return;
  // 访问频率超限: the department is there, and takes no more for now.
  if (status === 429) throw new LegacyError('unavailable', system, busy);
  if (status >= 500) throw new LegacyError('unavailable', system, `answered ${status}`);
  if (status >= 400) throw new LegacyError('refused', system, `answered ${status}`);
  throw new LegacyError('malformed', system, `answered ${status}`);
}

/** Throws LegacyError malformed unless it is text in UTF-8 that says that it is JSON. */
export function readJsonText(system: string, content: Uint8Array, contentType: string): string {
  if (!/^application\/json\b/i.test(contentType))
    throw new LegacyError('malformed', system, 'answered with something else than JSON');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch {
    throw new LegacyError('malformed', system, 'answered in another character set than UTF-8');
  }
}

export interface OneCallConnections {
  /** Runs one exchange on a connection of its own, which is gone afterwards. */
  use<T>(exchange: (client: Client) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/**
 * A connection for each call: at a few calls a second it costs nothing, and no call dies of a connection that was closed
 * meanwhile, or of one that an aborted call left half spoken.
 */
export function createOneCallConnections(origin: string, maxBytes: number): OneCallConnections {
  const open = new Set<Client>();
  return {
    async use(exchange) {
      const client = new Client(origin, { ...httpLimits(maxBytes), pipelining: 0 });
      open.add(client);
      try {
        return await exchange(client);
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
