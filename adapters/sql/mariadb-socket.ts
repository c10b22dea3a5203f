import { Socket } from 'node:net';
import { WireError } from './request.ts';

const HEADER = 4;

/**
 * The socket that the driver reads from. It counts bytes, follows the protocol's packets just enough to know a stream that
 * is none, and turns whatever the driver's parser throws at garbled bytes into the socket's own error.
 */
export class GuardedSocket extends Socket {
  readonly #maxBytes: number;
  #heard = 0;
  /** Number of the next packet: a server speaks first, and each side goes on counting from the other's last. */
  #sequence = 0;
  /** Bytes of the packet under way that are still to come, and its header as far as it is there. */
  #left = 0;
  #header = Buffer.alloc(0);

  constructor(maxBytes: number) {
    super();
    this.#maxBytes = maxBytes;
    this.on('end', () => {
      if (this.#left > 0 || this.#header.length > 0)
        this.destroy(new WireError('ended in the middle of a message'));
    });
  }

  /** A new statement begins: bytes are counted from here. */
  begin(): void {
    this.#heard = 0;
  }

  hasHeard(): boolean {
    return this.#heard > 0;
  }

  // Not write(), which connecting a socket puts back to its own.
  override _write(packet: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#wrote(packet);
    super._write(packet, encoding, done);
  }

  override _writev(
    packets: { chunk: Buffer; encoding: BufferEncoding }[],
    done: (error?: Error | null) => void,
  ): void {
    for (const { chunk } of packets) this.#wrote(chunk);
    super._writev?.(packets, done);
  }

  /** The driver writes whole packets: the fourth byte is the packet's number. */
  #wrote(packet: Buffer): void {
    this.#sequence = ((packet[3] ?? 0) + 1) % 256;
  }

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    if (event !== 'data') return super.emit(event, ...args);
    try {
      this.#check(args[0] as Buffer);
      return super.emit(event, ...args);
    } catch (error) {
      this.destroy(error instanceof WireError ? error : new WireError('answered what cannot be read'));
      return true;
    }
  }

  #check(chunk: Buffer): void {
    this.#heard += chunk.length;
    if (this.#heard > this.#maxBytes) throw new WireError('answered more bytes than are read of it');
    for (let at = 0; at < chunk.length;) {
      if (this.#left > 0) {
        const part = Math.min(this.#left, chunk.length - at);
        this.#left -= part;
        at += part;
        continue;
      }
      const part = chunk.subarray(at, at + HEADER - this.#header.length);
      this.#header = Buffer.concat([this.#header, part]);
      at += part.length;
      if (this.#header.length < HEADER) return;
      this.#left = this.#header.readUIntLE(0, 3);
      if (this.#left > this.#maxBytes) throw new WireError('answered a message of an impossible length');
      // The driver only warns of this, and goes on.
      if (this.#header[3] !== this.#sequence) throw new WireError('answered a message out of its turn');
      this.#sequence = (this.#sequence + 1) % 256;
      this.#header = Buffer.alloc(0);
    }
  }
}
