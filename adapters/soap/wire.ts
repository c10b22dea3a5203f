/** One POST of text and its answer, through a pool of connections, never larger than allowed. */
import { Pool } from 'undici';
import { LegacyError } from '../adapter.ts';
import { httpLimits, toHttpFault } from '../http.ts';
import type { WireBytes } from './charset.ts';
import { CharsetError, decodeStrictly, encodeStrictly } from './charset.ts';

export interface Wire {
  /** Rejects with a LegacyError. */
  post(
    path: string,
    headers: Readonly<Record<string, string>>,
    text: string,
    signal: AbortSignal,
  ): Promise<string>;
  close(): Promise<void>;
}

export function createWire(options: {
  readonly system: string;
  /** Root of the services; paths are appended. */
  readonly url: string;
  readonly bytes: WireBytes;
  readonly connections: number;
  readonly maxBytes: number;
}): Wire {
  const { system, bytes } = options;
  const root = new URL(options.url);
  const prefix = root.pathname.replace(/\/$/, '');
  const pool = new Pool(root.origin, {
    ...httpLimits(options.maxBytes),
    connections: options.connections,
    pipelining: 1,
  });

  return {
    async post(path, headers, text, signal) {
      try {
        const response = await pool.request({
          method: 'POST',
          path: prefix + path,
          // It declares what it is not, as the system does and expects.
          headers: { 'content-type': 'text/xml; charset=UTF-8', soapaction: '""', ...headers },
          body: encodeStrictly(text, bytes),
          signal,
        });
        const content = new Uint8Array(await response.body.arrayBuffer());
        assertXml(system, response.statusCode, String(response.headers['content-type'] ?? ''));
        return decodeStrictly(content, bytes);
      } catch (error) {
        throw error instanceof CharsetError
          ? new LegacyError('malformed', system, error.message, error)
          : toHttpFault(error, system, signal);
      }
    },
    close: () => pool.destroy(),
  };
}

function assertXml(system: string, status: number, contentType: string): void {
  const isXml = /\bxml\b/i.test(contentType);
  // A SOAP fault is a 500 by the standard: the service is there, and does not want this.
  if (status === 500 && isXml) throw new LegacyError('refused', system, 'answered with a fault');
  if (status >= 500) throw new LegacyError('unavailable', system, `answered ${status}`);
  if (status >= 400) throw new LegacyError('refused', system, `answered ${status}`);
  if (status !== 200) throw new LegacyError('malformed', system, `answered ${status}`);
  if (!isXml) throw new LegacyError('malformed', system, 'answered with something else than XML');
}
