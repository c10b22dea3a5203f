/** The flag file: `name.ok` beside a file says that the file is complete, and what it must be. */
import { createHash } from 'node:crypto';

export interface OkFile {
  readonly bytes: number;
  /** Data lines, without the header. */
  readonly lines: number;
  readonly algorithm: 'SM3' | 'MD5';
  /** Lower-case hex. */
  readonly digest: string;
}

/** A file that is not what it should be, as a whole: none of it is read. `message` is what an officer is told. */
export class FileError extends Error {
  override readonly name = 'FileError';
}

/** Most bytes of a flag file; more is something else. */
export const OK_FILE_LIMIT = 1_000;

/** `BYTES=…`, `LINES=…` and `SM3=…` or `MD5=…`, one a line, in any order. Throws FileError. */
export function parseOkFile(text: string): OkFile {
  const values = new Map(
    [...text.matchAll(/^\s*(\w+)=(\w+)\s*$/gm)].map(([, key = '', value = '']) => [key, value]),
  );
  const bytes = Number(values.get('BYTES') ?? NaN);
  const lines = Number(values.get('LINES') ?? NaN);
  const algorithm = values.has('SM3') ? 'SM3' : 'MD5';
  const digest = values.get(algorithm)?.toLowerCase() ?? '';
  const isDigest = algorithm === 'SM3' ? /^[0-9a-f]{64}$/ : /^[0-9a-f]{32}$/;
  if (!Number.isSafeInteger(bytes) || bytes < 0 || !Number.isSafeInteger(lines) || !isDigest.test(digest))
    throw new FileError('its flag file does not give bytes, lines and an SM3 or MD5 checksum');
  return { bytes, lines, algorithm, digest };
}

/** Throws FileError when the content is not the one that the flag file was written for (half-written, changed on the way). */
export function assertWhole(content: Buffer, ok: OkFile): void {
  if (content.length !== ok.bytes)
    throw new FileError(`it has ${content.length} bytes, its flag file says ${ok.bytes}`);
  // MD5 finds accidents only; a department that can is asked for SM3.
  const digest = createHash(ok.algorithm.toLowerCase()).update(content).digest('hex');
  if (digest !== ok.digest) throw new FileError(`its ${ok.algorithm} checksum is not that of its flag file`);
}
