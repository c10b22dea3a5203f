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
 * one file: a line is one write behind its end. The file is looked for again before each line, so that one that was moved
 * away, or a disk that was full, costs no restart. Calls are carried out one after the other.
 */
export function createFileSink(path: string): HeadSink {
  let handle: FileHandle | null = null;
  let last: Promise<unknown> = Promise.resolve();

  async function letGo(): Promise<void> {
    const was = handle;
    handle = null;
    await was?.close().catch(() => undefined);
  }

  async function append(line: string): Promise<void> {
    try {
      if (handle !== null && !(await isStillAt(handle, path))) await letGo();
      handle ??= await openToAppend(path);
      // Behind a line that a full disk or a power cut left torn, the next one begins on its own.
      const bytes = Buffer.from(`${(await endsTorn(handle)) ? '\n' : ''}${line}\n`);
      const { bytesWritten } = await handle.write(bytes);
      if (bytesWritten < bytes.length) throw new Error(`${path} took only a part of a line`);
      await handle.datasync();
    } catch (error) {
      // After a failed fsync nothing is known of what this handle wrote: the next line takes a new one.
      await letGo();
      throw error;
    }
  }

  return {
    publish(head) {
      const published = last.then(() => append(toHeadLine(head)));
      last = published.catch(() => undefined);
      return published;
    },
    async close() {
      await last;
      await letGo();
    },
  };
}

/** A new file is there for good only when its folder is on the disk as well. */
async function openToAppend(path: string): Promise<FileHandle> {
  const handle = await open(path, 'a+', 0o644);
  try {
    if ((await handle.stat()).size === 0) {
      const folder = await open(dirname(path), 'r');
      await folder.sync().finally(() => folder.close());
    }
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function isStillAt(handle: FileHandle, path: string): Promise<boolean> {
  const [there, ours] = await Promise.all([stat(path).catch(() => null), handle.stat()]);
  return there !== null && there.ino === ours.ino && there.dev === ours.dev;
}

async function endsTorn(handle: FileHandle): Promise<boolean> {
  const { size } = await handle.stat();
  if (size === 0) return false;
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] !== NEWLINE;
}
