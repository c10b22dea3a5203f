/**
 * Pages of a list: how many, and after which entry.
 *
 * Cursors hold nothing that is not in the entry they stand for, such as its moment and its id; never a number in a sequence,
 * whose gaps would tell of what is not shown. One that was made for another list (of another subject, filter or principal)
 * is none.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { createError } from '../schema/errors.ts';

const MOST_ENTRIES = 100;
/** What PostgreSQL would not take for a moment would be held against the store, not against whoever made the cursor up. */
const moment = z.iso.datetime().refine((text) => /^2[01]\d\d-/.test(text));
const cursorSchema = z.tuple([moment, z.string().regex(/^[\w-]{1,64}$/), z.string()]);

export interface Cursor {
  /** ISO 8601. */
  readonly at: string;
  /** Id of the entry, or where the reader may see it, its number. */
  readonly key: string;
}

/** `of`: what the list is a list of. */
export function toCursor({ at, key }: Cursor, of: unknown): string {
  return Buffer.from(JSON.stringify([at, key, tag(of)])).toString('base64url');
}

/** Null when there is none; throws INVALID_INPUT for what is not a cursor of this list. */
export function readCursor(text: string | null | undefined, of: unknown): Cursor | null {
  if (text === null || text === undefined) return null;
  const parsed = cursorSchema.safeParse(toJson(text));
  if (!parsed.success || parsed.data[2] !== tag(of)) throw invalidCursor();
  const [at, key] = parsed.data;
  return { at, key };
}

/** Throws INVALID_INPUT. */
export function readFirst(first: number | null): number {
  if (first === null || first < 1 || first > MOST_ENTRIES)
    throw createError('INVALID_INPUT', {
      detail: `first must be 1 to ${MOST_ENTRIES}.`,
      extensions: { attribute: 'first' },
    });
  return first;
}

export function invalidCursor() {
  return createError('INVALID_INPUT', {
    detail: 'after is not a cursor of this list.',
    extensions: { attribute: 'after' },
  });
}

const tag = (of: unknown): string =>
  createHash('sha256').update(JSON.stringify(of)).digest('base64url').slice(0, 16);

function toJson(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    return null;
  }
}
