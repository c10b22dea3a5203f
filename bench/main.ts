/**
 * `npm run bench -- <name> [--json] [flags of its own]`: runs one benchmark; with --json its last line is one JSON object of
 * the figures.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

export interface Bench {
  /** Prints what it measures as it goes, and returns the figures. `flags` are those that are its own. */
  default(
    print: (line: string) => void,
    flags: readonly string[],
  ): Promise<Readonly<Record<string, unknown>>>;
}

const names = readdirSync(join(import.meta.dirname))
  .filter((file) => file.endsWith('.bench.ts'))
  .map((file) => file.slice(0, -'.bench.ts'.length))
  .sort();
const [name = '', ...flags] = process.argv.slice(2);

if (!names.includes(name)) {
  console.error(`Usage: npm run bench -- <${names.join(' | ')}> [--json]`);
  process.exitCode = 2;
} else {
  const module = (await import(pathToFileURL(join(import.meta.dirname, `${name}.bench.ts`)).href)) as Bench;
  const own = flags.filter((flag) => flag !== '--json');
  const figures = await module.default((line) => console.log(line), own);
  if (flags.includes('--json')) console.log(JSON.stringify(figures));
  process.exit(0);
}
