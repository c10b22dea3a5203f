/** The two ways in which nightly files are written, both in GB18030: bytes → records, and the lines that are none. */
import { isUtf8 } from 'node:buffer';
import { FileError } from './ok-file.ts';

export type FileFormat =
  /** The first line names the columns. */
  | { readonly kind: 'delimited'; readonly separator: string; readonly columns: readonly string[] }
  /** No header; each column is so many bytes, filled with spaces. */
  | {
      readonly kind: 'fixed-width';
      readonly columns: readonly { readonly name: string; readonly bytes: number }[];
    };

/** Column name → text without the spaces around it. */
export type FileRecord = Readonly<Record<string, string>>;

/** One line of a file; `number` counts from 1 as an editor does. */
export type Line = { readonly number: number; readonly raw: Buffer } & (
  { readonly record: FileRecord } | { readonly reason: string }
);

const GB18030 = new TextDecoder('gb18030', { fatal: true });
const LF = 0x0a;
const CR = 0x0d;

/** The data lines of a file. Throws FileError when the file as a whole is in another encoding or has other columns. */
export function parseFile(content: Buffer, format: FileFormat): readonly Line[] {
  // UTF-8 mostly decodes as GB18030, into other characters. A Chinese text that is valid UTF-8 is not GB18030 by chance.
  if (isUtf8(content) && content.some((byte) => byte > 0x7f))
    throw new FileError('it is written in UTF-8, not in GB18030');
  const lines = splitLines(content);
  if (format.kind === 'fixed-width') return lines.map((raw, at) => parseLine(raw, at + 1, format));
  const [header, ...data] = lines;
  const columns = header === undefined ? null : decode(header)?.split(format.separator);
  if (columns?.join() !== format.columns.join()) throw new FileError('its columns are not those agreed');
  return data.map((raw, at) => parseLine(raw, at + 2, format));
}

/** `raw` is one line without its end. */
export function parseLine(raw: Buffer, number: number, format: FileFormat): Line {
  const record = format.kind === 'delimited' ? parseDelimited(raw, format) : parseFixedWidth(raw, format);
  return typeof record === 'string' ? { number, raw, reason: record } : { number, raw, record };
}

type Of<Kind> = Extract<FileFormat, { kind: Kind }>;

// Decoded first and cut afterwards: `|` is 0x7C, which is also the second byte of 瑋 and 125 other characters.
function parseDelimited(raw: Buffer, { separator, columns }: Of<'delimited'>): FileRecord | string {
  const values = decode(raw)?.split(separator);
  if (!values) return 'holds bytes that are not GB18030';
  if (values.length !== columns.length) return `has ${values.length} columns instead of ${columns.length}`;
  return Object.fromEntries(columns.map((name, at) => [name, values[at]?.trim() ?? '']));
}

// Cut first and decoded afterwards: the offsets count bytes, and a Chinese character has two or four.
function parseFixedWidth(raw: Buffer, { columns }: Of<'fixed-width'>): FileRecord | string {
  const width = columns.reduce((sum, { bytes }) => sum + bytes, 0);
  if (raw.length !== width) return `has ${raw.length} bytes instead of ${width}`;
  const record: Record<string, string> = {};
  let from = 0;
  for (const { name, bytes } of columns) {
    const value = decode(raw.subarray(from, (from += bytes)));
    if (value === null) return 'holds bytes that are not GB18030';
    record[name] = value.trim();
  }
  return record;
}

/** Null for what is not GB18030, for the replacement character (somebody before us lost a character) and for control characters. */
function decode(bytes: Buffer): string | null {
  try {
    const text = GB18030.decode(bytes);
    return /[\ufffd\u0000-\u0008\u000b-\u001f]/.test(text) ? null : text;
  } catch {
    return null;
  }
}

/** Line feed is never part of a GB18030 character, so lines may be cut before they are decoded. */
function splitLines(content: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let from = 0; from < content.length;) {
    const found = content.indexOf(LF, from);
    const end = found === -1 ? content.length : found;
    lines.push(content.subarray(from, end > from && content[end - 1] === CR ? end - 1 : end));
    from = end + 1;
  }
  return lines;
}
