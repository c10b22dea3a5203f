/** A text that may change under the running gateway: a file, or what an address answers. */
import { createHash } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import { Agent, request } from 'undici';

export interface WatchedText {
  /** For messages; holds no secret. */
  readonly name: string;
  /** What tells one state from another, cheaply. Rejects when there is nothing to read. */
  mark(): Promise<string>;
  /** Rejects when it cannot be read, is too long or not UTF-8. */
  read(): Promise<string>;
}

/** A supergraph of some thousand types is about a tenth of it. */
export const MOST_BYTES = 32 * 1024 * 1024;
const LONGEST_MS = 10_000;

/**
 * By stat, not by events of the file system: those tell nothing of network file systems, nor of a link above the file that
 * is set anew, which is how a container's configuration is replaced.
 */
export function watchFile(path: string): WatchedText {
  return {
    name: path,
    async mark() {
      const { ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
      return [ino, size, mtimeNs, ctimeNs].join(' ');
    },
    async read() {
      const file = await open(path);
      try {
        const { size } = await file.stat();
        if (size > MOST_BYTES) throw new Error(`${path} is longer than ${MOST_BYTES} bytes`);
        return toText(await file.readFile(), path);
      } finally {
        await file.close();
      }
    },
  };
}

/** One bounded GET for each look; what the server says is unchanged is not sent again. */
export function watchUrl(
  address: string,
  options: { longestMs?: number; mostBytes?: number } = {},
): WatchedText {
  const { longestMs = LONGEST_MS, mostBytes = MOST_BYTES } = options;
  const url = new URL(address);
  const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  const authorization = credentials === ':' ? null : `Basic ${Buffer.from(credentials).toString('base64')}`;
  url.username = '';
  url.password = '';
  const name = `${url.origin}${url.pathname}`;
  let kept: { readonly etag: string | null; readonly text: string; readonly mark: string } | null = null;

  async function refresh() {
    // A connection of its own: nothing is kept alive between looks, and nothing of the last one can be left in it.
    const dispatcher = new Agent({ maxResponseSize: mostBytes, pipelining: 0 });
    try {
      const { statusCode, headers, body } = await request(url, {
        dispatcher,
        headers: {
          accept: 'application/graphql, text/plain, */*',
          ...(authorization === null ? {} : { authorization }),
          ...(kept?.etag ? { 'if-none-match': kept.etag } : {}),
        },
        signal: AbortSignal.timeout(longestMs),
      });
      if (statusCode === 304 && kept) return kept;
      if (statusCode !== 200) throw new Error(`${name} answered ${statusCode}`);
      if (headers['content-encoding'] !== undefined)
        throw new Error(`${name} answered compressed, which was not asked for`);
      const text = toText(Buffer.from(await body.arrayBuffer()), name);
      const { etag } = headers;
      const mark = createHash('sha256').update(text).digest('base64url');
      return { etag: typeof etag === 'string' ? etag : null, text, mark };
    } finally {
      await dispatcher.destroy();
    }
  }

  return {
    name,
    async mark() {
      kept = await refresh();
      return kept.mark;
    },
    async read() {
      kept ??= await refresh();
      return kept.text;
    },
  };
}

function toText(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Error(`${name} is not UTF-8`);
  }
}
