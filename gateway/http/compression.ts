/** Compressed answers, for those who accept them and where it is worth while. Why that gives nothing away: decision 0012. */
import { promisify } from 'node:util';
import { brotliCompress, constants, createBrotliCompress, createGzip, gzip } from 'node:zlib';

export type Coding = 'br' | 'gzip';

/** Bytes. What fits into one packet is not compressed. */
const WORTH_WHILE = 1_024;
const toGzip = promisify(gzip);
const toBrotli = promisify(brotliCompress);
/** Quality 4: as fast as gzip, and smaller. */
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } };

/** The coding that we would send; null: as it is. `accept` is the Accept-Encoding header. */
export function chooseCoding(accept: string | string[] | undefined): Coding | null {
  return accepts(accept, 'br') ? 'br' : accepts(accept, 'gzip') ? 'gzip' : null;
}

/** Weights only matter where they are 0 (RFC 9110, 12.5.3). */
export function accepts(accept: string | string[] | undefined, coding: Coding): boolean {
  const weights = new Map<string, number>();
  for (const part of String(accept ?? '')
    .toLowerCase()
    .split(',')) {
    const [name = '', ...parameters] = part.split(';').map((text) => text.trim());
    const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
    weights.set(name, weight === undefined ? 1 : Number(weight));
  }
  return (weights.get(coding) ?? weights.get('*') ?? 0) > 0;
}

/** The text as it is sent, and the Content-Encoding that says how. */
export async function encodeAnswer(
  text: string,
  coding: Coding | null,
): Promise<{ body: string | Buffer; coding: Coding | null }> {
  if (coding === null || Buffer.byteLength(text) < WORTH_WHILE) return { body: text, coding: null };
  const body = coding === 'gzip' ? await toGzip(text) : await toBrotli(text, BROTLI);
  return { body, coding };
}

/** One body, written piece by piece. */
export interface Encoder {
  /** All that the reader needs to see the text, and all before it. */
  encode(text: string, isLast: boolean): Promise<Buffer>;
  /** Nothing more is written. */
  close(): void;
}

export function createEncoder(coding: Coding | null): Encoder {
  if (coding === null) return { encode: (text) => Promise.resolve(Buffer.from(text)), close() {} };
  const packer = coding === 'gzip' ? createGzip() : createBrotliCompress(BROTLI);
  let ready: Buffer[] = [];
  const collect = () => {
    for (let some: unknown = packer.read(); some !== null; some = packer.read()) ready.push(some as Buffer);
  };
  // Read as it comes: what nobody reads stops it before the piece is whole.
  packer.on('readable', collect);
  const take = () => {
    collect();
    const whole = Buffer.concat(ready);
    ready = [];
    return whole;
  };
  return {
    encode(text, isLast) {
      return new Promise((resolve, reject) => {
        packer.once('error', reject);
        const done = () => {
          packer.off('error', reject);
          resolve(take());
        };
        if (isLast) packer.once('end', done).end(text);
        else {
          packer.write(text);
          packer.flush(coding === 'gzip' ? constants.Z_SYNC_FLUSH : constants.BROTLI_OPERATION_FLUSH, done);
        }
      });
    },
    close: () => packer.destroy(),
  };
}
