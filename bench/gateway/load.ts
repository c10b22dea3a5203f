/**
 * A closed loop: fifty connections, each asks again as soon as it has its answer. Variants in flight are all different, so that
 * nobody can collapse them, unless the load is of one variant only.
 */
import { Pool } from 'undici';
import type { Contestant } from './contestants.ts';

export interface Load {
  /** Sends `requests` requests and waits for all their answers: what they cost is spent when it resolves. */
  run(bodies: readonly string[], requests: number): Promise<LoadResult>;
  /** The answer to one request. */
  ask(body: string): Promise<unknown>;
  close(): Promise<void>;
}

export interface LoadResult {
  readonly seconds: number;
  /** Of each answer, in milliseconds. */
  readonly latencies: readonly number[];
}

export const CONNECTIONS = 50;
const ERRORS = Buffer.from('"errors":');

export function createLoad({ url, headers, kind }: Contestant): Load {
  const { origin, pathname: path } = new URL(url);
  const pool = new Pool(origin, { connections: CONNECTIONS, headersTimeout: 60_000 });

  /** `dispatch`, not `request`: what the load costs is taken from the same machine. */
  const send = (body: string) =>
    new Promise<Buffer>((resolve, reject) => {
      const chunks: Buffer[] = [];
      let status = 0;
      pool.dispatch(
        { method: 'POST', path, headers, body },
        {
          onRequestStart() {},
          onResponseStart(_, statusCode) {
            status = statusCode;
          },
          onResponseData(_, chunk) {
            chunks.push(chunk);
          },
          onResponseEnd() {
            const bytes = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
            // A wrong answer may be a cheap one.
            if (status === 200 && !bytes.includes(ERRORS)) resolve(bytes);
            else reject(new Error(`${kind} answered ${status}: ${complaintOf(bytes)}`));
          },
          onResponseError: (_, error) => reject(error),
        },
      );
    });

  return {
    async run(bodies, requests) {
      const [only] = bodies;
      const isOneVariant = bodies.length === 1;
      const free = [...bodies];
      const latencies: number[] = [];
      let left = requests;
      const startedAt = performance.now();
      await Promise.all(
        Array.from(
          { length: isOneVariant ? CONNECTIONS : Math.min(CONNECTIONS, bodies.length) },
          async () => {
            while (left-- > 0) {
              const body = (isOneVariant ? only : free.shift()) as string;
              const sentAt = performance.now();
              await send(body);
              latencies.push(performance.now() - sentAt);
              free.push(body);
            }
          },
        ),
      );
      return { seconds: (performance.now() - startedAt) / 1_000, latencies };
    },
    ask: async (body) => JSON.parse((await send(body)).toString()) as unknown,
    close: () => pool.destroy(),
  };
}

/** Errors may stand behind eighty kilobytes of data. */
function complaintOf(bytes: Buffer): string {
  const at = Math.max(0, bytes.indexOf(ERRORS));
  return bytes.toString('utf8', at, at + 300);
}
