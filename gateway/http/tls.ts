/**
 * TLS at our own door, and certificates of clients (mutual TLS). The files are looked at again and again: a certificate that
 * was revoked, or taken out of the list of clients, is refused from the next look on, on connections that stand as well.
 */
import { readFileSync } from 'node:fs';
import type { Server, ServerOptions } from 'node:https';
import { constants } from 'node:crypto';
import { TLSSocket } from 'node:tls';
import type { Logger } from 'pino';
import type { ClientCertificate, ClientDirectory } from '../identity/certificates.ts';
import { certificateOf, NOBODY, readClientDirectory } from '../identity/certificates.ts';

/** Paths of files: PEM, but `clients`, which is JSON (see identity/certificates.ts). */
export interface TlsConfig {
  readonly certificate: string;
  readonly key: string;
  /** Whose signature makes a client's certificate; null: clients are not asked for one. */
  readonly clientCa: string | null;
  /** One list for each authority of the chain; an outdated one refuses everybody. */
  readonly clientCrl: string | null;
  readonly clients: string | null;
}

export interface TlsDoor {
  readonly options: ServerOptions;
  readonly clients: ClientDirectory;
  /** What the client of this connection showed, as it is to be judged now; null: nothing, or no TLS. */
  certificateOf(socket: unknown): ClientCertificate | null;
  /** The connection was made under files that have changed since: it is closed after its answer. */
  isOutdated(socket: unknown): boolean;
  /** Looks at the files every `everyMs` for this server, until the result is called. */
  watch(server: Server, everyMs: number): () => void;
  /** Looks now. */
  reload(server: Server): void;
}

/** Throws when a file cannot be read or is not what it should be. */
export function createTlsDoor(config: TlsConfig, { now, log }: { now: () => number; log: Logger }): TlsDoor {
  let files = readFiles(config);
  let clients = directoryOf(config);
  let version = 0;
  const madeUnder = new WeakMap<TLSSocket, number>();
  const isOutdated = (socket: unknown) =>
    socket instanceof TLSSocket && (madeUnder.get(socket) ?? version) !== version;

  function reload(server: Server): void {
    try {
      const next = readFiles(config);
      if (JSON.stringify(next) === JSON.stringify(files)) return;
      const nextClients = directoryOf(config);
      server.setSecureContext(toOptions(next));
      [files, clients] = [next, nextClients];
      version++;
      server.closeIdleConnections();
      log.info('certificates, revocations or clients have changed and are in force');
    } catch (error) {
      // Half written, perhaps. What was in force stays; a list of revocations runs out by itself.
      log.error({ err: error }, 'changed certificates, revocations or clients cannot be used');
    }
  }

  return {
    options: toOptions(files),
    clients: { find: (thumbprint) => clients.find(thumbprint) },
    isOutdated,
    certificateOf(socket) {
      if (!(socket instanceof TLSSocket)) return null;
      const certificate = certificateOf(socket, now());
      return certificate && { ...certificate, isTrusted: certificate.isTrusted && !isOutdated(socket) };
    },
    watch(server, everyMs) {
      server.on('secureConnection', (socket) => madeUnder.set(socket, version));
      const timer = setInterval(() => reload(server), everyMs).unref();
      return () => clearInterval(timer);
    },
    reload,
  };
}

interface Files {
  readonly cert: string;
  readonly key: string;
  readonly ca: string | null;
  readonly crl: string | null;
  readonly clients: string | null;
}

function readFiles({ certificate, key, clientCa, clientCrl, clients }: TlsConfig): Files {
  const read = (file: string | null) => (file === null ? null : readFileSync(file, 'utf8'));
  return {
    cert: readFileSync(certificate, 'utf8'),
    key: readFileSync(key, 'utf8'),
    ca: read(clientCa),
    crl: read(clientCrl),
    clients: read(clients),
  };
}

function directoryOf({ clients }: TlsConfig): ClientDirectory {
  return clients === null ? NOBODY : readClientDirectory(clients);
}

function toOptions({ cert, key, ca, crl }: Files): ServerOptions {
  return {
    cert,
    key,
    minVersion: 'TLSv1.2',
    // A session that is taken up again is not looked at again: a certificate revoked meanwhile would go on. Nor is another
    // one shown on a connection that stands.
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
    ...(ca === null
      ? {}
      : {
          ca,
          requestCert: true,
          // The public comes without one. One that does not hold is answered 401, not with a connection that breaks.
          rejectUnauthorized: false,
          // Of a text with several only the first would be read.
          ...(crl === null
            ? {}
            : { crl: crl.match(/-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----/g) ?? crl }),
        }),
  };
}
