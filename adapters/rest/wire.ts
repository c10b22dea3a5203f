/** One POST of JSON and its answer, never larger than allowed. */
import { assertStatus, createOneCallConnections, readJsonText, toHttpFault } from '../http.ts';

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
  const connections = createOneCallConnections(root.origin, options.maxBytes);

  return {
    pathOf: (path) => prefix + path,
    async post(path, headers, body, signal) {
      try {
        return await connections.use(async (client) => {
          const response = await client.request({
            method: 'POST',
            path,
            headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
            body,
            signal,
          });
          const content = new Uint8Array(await response.body.arrayBuffer());
          assertStatus(system, response.statusCode, { expected: [200], busy: 'takes no more calls for now' });
          return readJsonText(system, content, String(response.headers['content-type'] ?? ''));
        });
      } catch (error) {
        throw toHttpFault(error, system, signal);
      }
    },
    close: () => connections.close(),
  };
}
