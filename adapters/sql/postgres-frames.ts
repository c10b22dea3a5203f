/**
 * Looks through what a PostgreSQL server sends before the driver does. The driver believes every length: an error message
 * without its end makes it read for ever, a negative count of columns makes it throw inside the socket's handler.
 */
import { isUtf8 } from 'node:buffer';
import { WireError } from './request.ts';

export interface FrameChecker {
  /** The messages that are complete now, as one piece for the driver. Throws WireError at the first that is not sound. */
  push(chunk: Buffer): Buffer | null;
  /** A new statement begins: bytes are counted from here. */
  begin(): void;
  hasHeard(): boolean;
  /** Throws WireError when the server ended in the middle of a message. */
  end(): void;
}

const HEADER = 5;

export function createFrameChecker(maxBytes: number): FrameChecker {
  let pieces: Buffer[] = [];
  let held = 0;
  /** Bytes that must be there before looking again. */
  let needed = HEADER;
  let heard = 0;

  return {
    push(chunk) {
      heard += chunk.length;
      if (heard > maxBytes) throw new WireError('answered more bytes than are read of it');
      pieces.push(chunk);
      held += chunk.length;
      if (held < needed) return null;
      const bytes = pieces.length === 1 ? chunk : Buffer.concat(pieces);
      let at = 0;
      needed = HEADER;
      while (bytes.length - at >= HEADER) {
        const length = 1 + bytes.readUInt32BE(at + 1);
        if (length < HEADER || length > maxBytes) throw new WireError('answered a message of an impossible length');
        const checkBody = BODIES[String.fromCharCode(bytes[at] ?? 0)];
        if (!checkBody) throw new WireError('answered a message that its protocol does not have');
        if (bytes.length - at < length) {
          needed = length;
          break;
        }
        if (!checkBody(bytes.subarray(at + HEADER, at + length))) throw new WireError('answered a message that is not sound');
        at += length;
      }
      const rest = bytes.subarray(at);
      pieces = rest.length > 0 ? [rest] : [];
      held = rest.length;
      return at > 0 ? bytes.subarray(0, at) : null;
    },
    begin() {
      heard = 0;
    },
    hasHeard: () => heard > 0,
    end() {
      if (held > 0) throw new WireError('ended in the middle of a message');
    },
  };
}

/** Whether a body is one of its type. What we never ask for (COPY, notifications) is not there. */
const BODIES: Readonly<Record<string, (body: Buffer) => boolean>> = {
  R: isAuthentication,
  S: (body) => isText(body, 2),
  K: (body) => body.length === 8,
  Z: (body) => body.length === 1 && 'ITE'.includes(String.fromCharCode(body[0] ?? 0)),
  E: isReport,
  N: isReport,
  T: isRowDescription,
  D: isDataRow,
  C: (body) => isText(body, 1),
  t: (body) => body.length >= 2 && body.length === 2 + 4 * body.readUInt16BE(0),
  1: isEmpty,
  2: isEmpty,
  3: isEmpty,
  n: isEmpty,
  s: isEmpty,
  I: isEmpty,
};

function isEmpty(body: Buffer): boolean {
  return body.length === 0;
}

/** So many texts, each ended by a zero, and nothing else. */
function isText(body: Buffer, count: number): boolean {
  let at = 0;
  for (let left = count; left > 0; left--) {
    const end = body.indexOf(0, at);
    if (end < 0) return false;
    at = end + 1;
  }
  return at === body.length && isUtf8(body);
}

/** Texts with a letter each, then a zero. */
function isReport(body: Buffer): boolean {
  let at = 0;
  while (at < body.length && body[at] !== 0) {
    const end = body.indexOf(0, at + 1);
    if (end < 0) return false;
    at = end + 1;
  }
  return at === body.length - 1;
}

/** Ok, MD5 and SCRAM. A password in the clear is not given to anybody, least of all to whom we do not know yet. */
function isAuthentication(body: Buffer): boolean {
  if (body.length < 4) return false;
  const kind = body.readUInt32BE(0);
  if (kind === 0) return body.length === 4;
  if (kind === 5) return body.length === 8;
  if (kind === 10) return body.at(-1) === 0;
  return kind === 11 || kind === 12;
}

function isRowDescription(body: Buffer): boolean {
  if (body.length < 2) return false;
  let at = 2;
  for (let left = body.readUInt16BE(0); left > 0; left--) {
    const end = body.indexOf(0, at);
    if (end < 0 || !isUtf8(body.subarray(at, end))) return false;
    at = end + 1 + 18;
  }
  return at === body.length;
}

function isDataRow(body: Buffer): boolean {
  if (body.length < 2) return false;
  let at = 2;
  for (let left = body.readUInt16BE(0); left > 0; left--) {
    if (at + 4 > body.length) return false;
    const length = body.readInt32BE(at);
    at += 4;
    if (length === -1) continue;
    if (length < 0 || at + length > body.length || !isUtf8(body.subarray(at, at + length))) return false;
    at += length;
  }
  return at === body.length;
}
