import type { FileFormat, FileRecord } from './formats.ts';

/**
 * One kind of file that a department delivers. Each file is a full snapshot: a newer one, or the same one sent again,
 * takes the place of all before it.
 */
export interface Feed {
  readonly name: string;
  /** Matches the file's name; its first group is the business date, yyyyMMdd. */
  readonly file: RegExp;
  readonly format: FileFormat;
  /**
   * Whose record it is, as readers ask for it; `reason` when the line cannot be taken. A subject of '' says that nobody can
   * tell whose it is: as long as such a line is set aside, no subject can be told that the feed has nothing on it.
   */
  readonly subjectOf: (record: FileRecord) => { readonly subject: string; readonly reason?: string };
  /** Finds the subject in the bytes of a line that cannot be parsed, so that only this subject's answer is in doubt. */
  readonly subjectIn: RegExp;
}

/** 20260401 → 2026-04-01; null when the file is not of this feed, or of a day that does not exist. */
export function businessDateOf(feed: Feed, file: string): string | null {
  const [, digits] = feed.file.exec(file) ?? [];
  if (digits === undefined) return null;
  const date = digits.replace(/^(\d{4})(\d\d)(\d\d)$/, '$1-$2-$3');
  const time = Date.parse(`${date}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(date) ? date : null;
}
