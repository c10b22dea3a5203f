/** Where the audit log of a running `npm start` lies, for the commands that verify it; one note for each port. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const FOLDER = join(import.meta.dirname, '../.jinxin');
const noteSchema = z.object({ platformUrl: z.string(), heads: z.string() });

export type RunningAudit = z.infer<typeof noteSchema>;

const noteOf = (port: number) => join(FOLDER, `audit-${port}.json`);

/** The file for the heads of the platform on this port: a new one, as its database is new at each start. */
export function freshHeadsFile(port: number): string {
  const file = join(FOLDER, `audit-heads-${port}.jsonl`);
  rmSync(file, { force: true });
  return file;
}

/** For this user's eyes only: it holds the sandbox database's password. The returned function takes it away. */
export function noteRunningAudit(port: number, audit: RunningAudit): () => void {
  writeFileSync(noteOf(port), JSON.stringify(audit), { mode: 0o600 });
  return () => rmSync(noteOf(port), { force: true });
}

/** That of PORT, 4000 by default; null when none is running there. */
export function findRunningAudit(
  environment: Readonly<Record<string, string | undefined>>,
): RunningAudit | null {
  const file = noteOf(Number(environment['PORT'] || 4000));
  return existsSync(file) ? noteSchema.parse(JSON.parse(readFileSync(file, 'utf8'))) : null;
}
