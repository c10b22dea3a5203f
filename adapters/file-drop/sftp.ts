/** A department's SFTP drop: one connection at a time, the host key pinned, downloads that go on where they were cut. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { connect as openSocket } from 'node:net';
import type { Socket } from 'node:net';
import { Writable } from 'node:stream';
import SftpClient from 'ssh2-sftp-client';
import type { LegacyFault } from '../adapter.ts';
import { isLegacyError, LegacyError } from '../adapter.ts';

export interface SftpSettings {
  readonly system: string;
  /** sftp://user:password@host:port/folder; with `privateKey` (PEM) the password may be left out. */
  readonly url: string;
  readonly privateKey?: string;
  /** As `ssh-keygen -l` prints it: SHA256:… A host with another key is not spoken to. */
  readonly hostKeyFingerprint: string;
  /** Longest silence on the wire, ms, from the first packet to the last byte of a file. */
  readonly silenceMs: number;
}

export interface RemoteFile {
  readonly name: string;
  readonly size: number;
}

/** Every function rejects with a LegacyError; an aborted signal cuts the connection. */
export interface Sftp {
  readonly system: string;
  list(signal: AbortSignal): Promise<readonly RemoteFile[]>;
  /**
   * Exactly the first `size` bytes. `version` names the content (its checksum): what was read of it before a cut is kept
   * for the next call; null keeps nothing.
   */
  read(name: string, size: number, version: string | null, signal: AbortSignal): Promise<Buffer>;
  disconnect(): void;
}

/** Cuts that a download survives as long as each connection brings new bytes. */
const MOST_CUTS = 10;

const NOTHING: { readonly version: string; readonly chunks: Buffer[] } = { version: '', chunks: [] };

export function createSftp(settings: SftpSettings): Sftp {
  const { system } = settings;
  const folder = decodeURIComponent(new URL(settings.url).pathname);
  let connection: Connection | null = null;
  let begun = NOTHING;

  /** Runs one operation on the open connection or a new one; after a failure there is none. */
  async function on<T>(signal: AbortSignal, work: (client: SftpClient) => Promise<T>): Promise<T> {
    if (signal.aborted)
      throw new LegacyError('timeout', system, 'was not asked: the time was up', signal.reason);
    if (connection === null || connection.socket.destroyed) connection = createConnection(settings);
    const { socket, ready, faultOf } = connection;
    const cut = () => void socket.destroy();
    signal.addEventListener('abort', cut, { once: true });
    try {
      return await work(await ready);
    } catch (error) {
      socket.destroy();
      if (signal.aborted)
        throw new LegacyError('timeout', system, 'did not finish before the deadline', error);
      throw isLegacyError(error) ? error : new LegacyError(faultOf(error), system, 'failed over SFTP', error);
    } finally {
      signal.removeEventListener('abort', cut);
    }
  }

  return {
    system,
    disconnect: () => connection?.socket.destroy(),
    async list(signal) {
      const entries = await on(signal, (client) => client.list(folder));
      return entries.filter(({ type }) => type === '-').map(({ name, size }) => ({ name, size }));
    },
    async read(name, size, version, signal) {
      if (version !== null && begun.version !== version) begun = { version, chunks: [] };
      const chunks = version === null ? [] : begun.chunks;
      const have = () => chunks.reduce((sum, chunk) => sum + chunk.length, 0);
      for (let cuts = 0, start = have(); start < size; start = have()) {
        try {
          await on(signal, (client) =>
            client.get(`${folder}/${name}`, collectInto(chunks), {
              readStreamOptions: { start, end: size - 1 } as object,
            }),
          );
          if (have() < size)
            throw new LegacyError('malformed', system, 'has a file that is shorter than its flag file says');
        } catch (error) {
          const mayGoOn =
            isLegacyError(error) && error.fault === 'unavailable' && have() > start && ++cuts < MOST_CUTS;
          if (!mayGoOn) throw error;
        }
      }
      if (version !== null) begun = NOTHING;
      return Buffer.concat(chunks).subarray(0, size);
    },
  };
}

interface Connection {
  readonly socket: Socket;
  readonly ready: Promise<SftpClient>;
  /** Which fault an error on this connection is. */
  faultOf(error: unknown): LegacyFault;
}

// Without listeners of ours this client writes to the console; every error also rejects the operation that meets it.
const QuietClient = SftpClient as unknown as new (
  name: string,
  listeners: Record<string, () => void>,
) => SftpClient;
const SILENT = { error: () => {}, end: () => {}, close: () => {} };

function createConnection({ url, privateKey, hostKeyFingerprint, silenceMs }: SftpSettings): Connection {
  const { hostname, port, username, password } = new URL(url);
  const socket = openSocket(Number(port || 22), hostname);
  const client = new QuietClient('jinxin', SILENT);
  let fault: LegacyFault | null = null;
  socket.setTimeout(silenceMs, () => {
    fault ??= 'timeout';
    socket.destroy(new Error('the wire was silent for too long'));
  });
  // The client rewrites errors and drops the level, which alone tells a refusal from a broken protocol.
  client.on('error', ({ level }: { level?: string }) => {
    if (level === 'client-timeout') fault ??= 'timeout';
    if (level === 'client-authentication') fault ??= 'refused';
    if (level === 'protocol' || level === 'handshake') fault ??= 'malformed';
  });
  const ready = client.connect({
    sock: socket,
    username: decodeURIComponent(username),
    readyTimeout: silenceMs,
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
    ...(privateKey === undefined ? {} : { privateKey }),
    hostVerifier: (key: Buffer) => {
      const isPinned = sameText(fingerprintOf(key), hostKeyFingerprint);
      if (!isPinned) fault ??= 'refused';
      return isPinned;
    },
  });
  return {
    socket,
    ready: ready.then(() => client),
    faultOf: (error) => fault ?? (isStatus(error) ? 'refused' : 'unavailable'),
  };
}

/** SHA256:… of a host key, as `ssh-keygen -l` prints it. */
export function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

function sameText(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
}

/** SFTP status codes are numbers (no such file, permission denied); what the socket says is text or nothing. */
function isStatus(error: unknown): boolean {
  return typeof (error as { code?: unknown }).code === 'number';
}

function collectInto(chunks: Buffer[]): Writable {
  return new Writable({
    write(chunk: Buffer, _, done) {
      chunks.push(chunk);
      done();
    },
  });
}
