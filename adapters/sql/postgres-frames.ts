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
  /** Whether it was answered: a good-bye that was on its way before is no answer. */
  hasAnswered(): boolean;
  /** Throws WireError when the server ended in the middle of a message. */
  end(): void;
}

const HEADER = 5;
/** Parse and bind complete, row description, row, statement complete. */
const ANSWERS = new Set('12TDC');

export function createFrameChecker(maxBytes: number): FrameChecker {
  let pieces: Buffer[] = [];
  let held = 0;
  /** Bytes that must be there before looking again. */
  let needed = HEADER;
  let heard = 0;
  let hasAnswered = false;

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
        if (length < HEADER || length > maxBytes)
          throw new WireError('answered a message of an impossible length');
        const type = String.fromCharCode(bytes[at] ?? 0);
        const form = FORMS[type];
        if (!form) throw new WireError('answered a message that its protocol does not have');
        // A length that was changed on the way would be waited for until the deadline.
        if (length > HEADER + form.longest) throw new WireError('answered a message of an impossible length');
        if (bytes.length - at < length) {
          needed = length;
          break;
        }
        if (!form.isSound(bytes.subarray(at + HEADER, at + length)))
          throw new WireError('answered a message that is not sound');
        hasAnswered ||= ANSWERS.has(type);
        at += length;
      }
      const rest = bytes.subarray(at);
      pieces = rest.length > 0 ? [rest] : [];
      held = rest.length;
      return at > 0 ? bytes.subarray(0, at) : null;
    },
    begin() {
      heard = 0;
      hasAnswered = false;
    },
    hasAnswered: () => hasAnswered,
    end() {
      if (held > 0) throw new WireError('ended in the middle of a message');
    },
  };
}

interface Form {
  /** Most bytes of a body. */
  readonly longest: number;
  isSound(body: Buffer): boolean;
}

const EMPTY: Form = { longest: 0, isSound: isEmpty };
const REPORT: Form = { longest: 65_536, isSound: isReport };

/** The messages there are. What we never ask for (COPY, notifications) is not among them. */
const FORMS: Readonly<Record<string, Form>> = {
  R: { longest: 4_096, isSound: isAuthentication },
  S: { longest: 4_096, isSound: (body) => isText(body, 2) },
  K: { longest: 8, isSound: (body) => body.length === 8 },
  Z: {
    longest: 1,
    isSound: (body) => body.length === 1 && 'ITE'.includes(String.fromCharCode(body[0] ?? 0)),
  },
  E: REPORT,
  N: REPORT,
  T: { longest: 1_048_576, isSound: isRowDescription },
  D: { longest: Infinity, isSound: isDataRow },
  C: { longest: 256, isSound: (body) => isText(body, 1) },
  t: {
    longest: 262_144,
    isSound: (body) => body.length >= 2 && body.length === 2 + 4 * body.readUInt16BE(0),
  },
  1: EMPTY,
  2: EMPTY,
  3: EMPTY,
  n: EMPTY,
  s: EMPTY,
  I: EMPTY,
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
