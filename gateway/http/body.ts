/**
 * The body of a request as text: at most so many bytes, counted as they come and again as they unpack, so that a bomb costs
 * no more than an honest body of the same limit.
 */
import type { Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { createError } from '../../schema/errors.ts';

const DECODERS = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
} as const;

/**
 * @param encoding the Content-Encoding header; one coding or none: a chain of them has no use but to hide
 * @param limit bytes, packed as well as unpacked
 * Rejects with UNSUPPORTED_MEDIA_TYPE, REQUEST_TOO_LARGE or BAD_REQUEST (not what the header says, or no UTF-8).
 */
export async function readBody(
  stream: Readable,
  encoding: string | undefined,
  limit: number,
): Promise<string> {
  const coding = (encoding ?? 'identity').trim().toLowerCase();
  if (coding === 'identity') return toText(await collect(stream, limit));
  if (!isDecoded(coding)) throw createError('UNSUPPORTED_MEDIA_TYPE');
  const packed = await collect(stream, limit);
  // Small pieces, so that the limit is met within one of them.
  const decoder = DECODERS[coding]({ chunkSize: 16 * 1024 });
  decoder.end(packed);
  return toText(await collect(decoder, limit));
}

function isDecoded(coding: string): coding is keyof typeof DECODERS {
  return Object.hasOwn(DECODERS, coding);
}

async function collect(stream: Readable, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    // Left early, the loop destroys the stream: nothing more is read or unpacked.
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > limit) break;
      chunks.push(chunk);
    }
  } catch {
    // Cut off, or not packed as the header says.
    throw createError('BAD_REQUEST');
  }
  if (bytes > limit) throw createError('REQUEST_TOO_LARGE');
  return Buffer.concat(chunks, bytes);
}

function toText(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw createError('BAD_REQUEST');
  }
}
