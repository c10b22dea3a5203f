/** A real SFTP server on loopback over files in memory: one folder, read only. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { generateKeyPairSync } from 'node:crypto';
import ssh2 from 'ssh2';
import type { Connection, SFTPWrapper } from 'ssh2';
import { fingerprintOf } from '../../adapters/file-drop/sftp.ts';

export interface SftpServer {
  readonly port: number;
  /** SHA256:…, as ssh-keygen prints it. */
  readonly fingerprint: string;
  /** Files opened so far. */
  filesRead(): number;
  refuseLogins(isRefusing: boolean): void;
  close(): Promise<void>;
}

const { OPEN_MODE, STATUS_CODE } = ssh2.utils.sftp;
const REGULAR_FILE = 0o100444;
const FOLDER = 0o040555;

/** `files` is asked at every listing and opening, by name without the folder. */
export async function startSftpServer(options: {
  readonly user: string;
  readonly password: string;
  readonly files: () => ReadonlyMap<string, Buffer>;
}): Promise<SftpServer> {
  // Not ssh2's own generator: about one in 240 of its Ed25519 keys it cannot read again (1.17.0).
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'sec1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const clients = new Set<Connection>();
  let isRefusing = false;
  let opened = 0;

  const server = new ssh2.Server({ hostKeys: [privateKey] }, (client) => {
    clients.add(client);
    // A client that leaves in the middle of a word is its own affair.
    client.on('error', () => {});
    client.on('close', () => clients.delete(client));
    client.on('authentication', (attempt) => {
      const isKnown =
        attempt.username === options.user &&
        attempt.method === 'password' &&
        attempt.password === options.password;
      if (isKnown && !isRefusing) attempt.accept();
      else attempt.reject(['password']);
    });
    client.on('ready', () =>
      client.on('session', (accept) =>
        accept().on('sftp', (acceptSftp) => serveFolder(acceptSftp(), options.files, () => (opened += 1))),
      ),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const key = ssh2.utils.parseKey(privateKey);
  if (key instanceof Error) throw key;

  return {
    port: (server.address() as AddressInfo).port,
    fingerprint: fingerprintOf(key.getPublicSSH()),
    filesRead: () => opened,
    refuseLogins: (refusing) => void (isRefusing = refusing),
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const client of clients) client.end();
      await closed;
    },
  };
}

function serveFolder(sftp: SFTPWrapper, files: () => ReadonlyMap<string, Buffer>, onOpen: () => void): void {
  const handles = new Map<number, { content: Buffer } | { entries: readonly [string, Buffer][] }>();
  let last = 0;
  const open = (request: number, what: { content: Buffer } | { entries: readonly [string, Buffer][] }) => {
    handles.set(++last, what);
    const handle = Buffer.alloc(4);
    handle.writeUInt32BE(last);
    sftp.handle(request, handle);
  };
  const fileAt = (path: string) => files().get(path.split('/').pop() ?? '');
  const at = (handle: Buffer) => handles.get(handle.readUInt32BE());
  const stat = (request: number, path: string) => {
    const content = fileAt(path);
    sftp.attrs(request, attributes(content ? REGULAR_FILE : FOLDER, content?.length ?? 0));
  };

  sftp.on('REALPATH', (request, path) =>
    sftp.name(request, [
      { filename: path === '.' ? '/' : path, longname: path, attrs: attributes(FOLDER, 0) },
    ]),
  );
  sftp.on('STAT', stat);
  sftp.on('LSTAT', stat);
  sftp.on('OPENDIR', (request) => open(request, { entries: [...files()] }));
  sftp.on('READDIR', (request, handle) => {
    const listing = at(handle);
    if (!listing || !('entries' in listing) || listing.entries.length === 0)
      return sftp.status(request, STATUS_CODE.EOF);
    const entries = listing.entries.map(([filename, content]) => ({
      filename,
      longname: `-r--r--r-- 1 tax tax ${content.length} Jan 1 00:00 ${filename}`,
      attrs: attributes(REGULAR_FILE, content.length),
    }));
    handles.set(handle.readUInt32BE(), { entries: [] });
    sftp.name(request, entries);
  });
  sftp.on('OPEN', (request, path, flags) => {
    const content = fileAt(path);
    if (!content) return sftp.status(request, STATUS_CODE.NO_SUCH_FILE);
    if (flags & OPEN_MODE.WRITE) return sftp.status(request, STATUS_CODE.PERMISSION_DENIED);
    onOpen();
    open(request, { content });
  });
  sftp.on('FSTAT', (request, handle) => {
    const file = at(handle);
    sftp.attrs(request, attributes(REGULAR_FILE, file && 'content' in file ? file.content.length : 0));
  });
  sftp.on('READ', (request, handle, offset, length) => {
    const file = at(handle);
    const part = file && 'content' in file ? file.content.subarray(offset, offset + length) : Buffer.alloc(0);
    if (part.length === 0) sftp.status(request, STATUS_CODE.EOF);
    else sftp.data(request, part);
  });
  sftp.on('CLOSE', (request, handle) => {
    handles.delete(handle.readUInt32BE());
    sftp.status(request, STATUS_CODE.OK);
  });
}

function attributes(mode: number, size: number) {
  return { mode, size, uid: 0, gid: 0, atime: 0, mtime: 0 };
}
