/** The second sink: where signed heads go that somebody else keeps than who keeps the log. */
import type { FileHandle } from 'node:fs/promises';
import { open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { AuditHead } from './audit-head.ts';
import { toHeadLine } from './audit-head.ts';

export interface HeadSink {
  /** Resolves when the head is durable there; rejects when that could not be made sure. */
  publish(head: AuditHead): Promise<void>;
  close(): Promise<void>;
}

const NEWLINE = 0x0a;

/**
 * An append-only file, one head a line (JSON, canonical), each on the disk before it counts. Several processes may append to
 * one file: lines are one write behind its end. The file is looked for again before each write, so that one that was moved
 * away, or a disk that was full, costs no restart.
 */
export function createFileSink(path: string): HeadSink {
  let handle: FileHandle | null = null;
  let waiting: {
    readonly line: string;
    readonly resolve: () => void;
    readonly reject: (error: unknown) => void;
  }[] = [];
  let writing: Promise<void> | null = null;
  /** Where the file ended behind our last line, if nobody else wrote. */
  let end = 0;

  /** Heads that came while others were written go to the disk together. */
  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      const group = waiting;
      waiting = [];
      try {
        await append(group.map(({ line }) => `${line}\n`).join(''));
        for (const { resolve } of group) resolve();
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    writing = null;
  }

  async function letGo(): Promise<void> {
    const was = handle;
    handle = null;
    end = 0;
    await was?.close().catch(() => undefined);
  }

  async function append(lines: string): Promise<void> {
    try {
      let size = handle === null ? null : await sizeOf(handle, path);
      if (handle === null || size === null) {
        await letGo();
        ({ handle, size } = await openToAppend(path));
      }
      // Behind a line that a full disk or a power cut left torn, here or in another process, the next begins on its own.
      const isTorn = size !== end && (await endsTorn(handle, size));
      const bytes = Buffer.from(`${isTorn ? '\n' : ''}${lines}`);
      const { bytesWritten } = await handle.write(bytes);
      if (bytesWritten < bytes.length) throw new Error(`${path} took only a part of a line`);
      await handle.datasync();
      end = size + bytes.length;
    } catch (error) {
      // After a failed fsync nothing is known of what this handle wrote: the next line takes a new one.
      await letGo();
      throw error;
    }
  }

  return {
    publish: (head) =>
      new Promise((resolve, reject) => {
        waiting.push({ line: toHeadLine(head), resolve, reject });
        writing ??= writeAll();
      }),
    async close() {
      await writing;
      await letGo();
    },
  };
}

/** A new file is there for good only when its folder is on the disk as well. */
async function openToAppend(path: string): Promise<{ handle: FileHandle; size: number }> {
  const handle = await open(path, 'a+', 0o644);
  try {
    const { size } = await handle.stat();
    if (size === 0) {
      const folder = await open(dirname(path), 'r');
      await folder.sync().finally(() => folder.close());
    }
    return { handle, size };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Bytes of the open file; null when another, or none, lies at its path now. */
async function sizeOf(handle: FileHandle, path: string): Promise<number | null> {
  const [there, ours] = await Promise.all([stat(path).catch(() => null), handle.stat()]);
  return there !== null && there.ino === ours.ino && there.dev === ours.dev ? ours.size : null;
}

async function endsTorn(handle: FileHandle, size: number): Promise<boolean> {
  if (size === 0) return false;
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] !== NEWLINE;
}
