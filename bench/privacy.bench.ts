/**
 * What is claimed of privacy, shown: each part of bench/privacy/ attacks one claim and counts what got through. A part that is
 * missing, fails or leaves a figure out ends the bench: a figure that was not measured is never printed.
 *
 * `--seed TEXT` repeats a run (same seed, same schedule); `--only part,part` runs some parts; `--size test` the small sizes.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import type { Figures, PartOptions } from './privacy/shared/part.ts';

interface Part {
  default(options: PartOptions): Promise<Figures>;
}

export const ROOM = join(import.meta.dirname, 'privacy');

/** The parts, in their order, and the figures that each owes: the files of bench/privacy/, whose folders hold what they use. */
export const OWED: Readonly<Record<string, readonly string[]>> = {
  'field-leaks': ['fieldLeaks', 'fieldsCovered'],
  'cache-leaks': ['cacheLeaks', 'cacheTriples', 'keyMutantsCaught'],
  revocations: ['afterRevocation', 'interleavings'],
  kills: ['unloggedDisclosures', 'kills'],
  tampering: ['tamperingsFound'],
  tokens: ['forgedAccepted', 'forgeries', 'validRefused'],
  lookup: ['absentForbiddenP'],
  stall: ['stallDocuments', 'worstStallMs', 'bombRefusedMs', 'bombCalls', 'schemaRecovered'],
  'authorization-cost': ['authorizationCost'],
  'foreign-router': ['foreignRouterLeaks'],
};

export default async function privacy(
  print: (line: string) => void,
  flags: readonly string[],
): Promise<Readonly<Record<string, string | number>>> {
  const { values } = parseArgs({
    args: [...flags],
    options: {
      seed: { type: 'string' },
      only: { type: 'string' },
      size: { type: 'string', default: 'bench' },
    },
  });
  const seed = values.seed ?? randomBytes(6).toString('hex');
  if (values.size !== 'bench' && values.size !== 'test') throw new Error('--size is bench or test');
  const all = Object.keys(OWED);
  const parts = values.only?.split(',') ?? all;
  const missing = parts.filter((name) => !Object.hasOwn(OWED, name));
  if (missing.length > 0)
    throw new Error(`there is no part ${missing.join(', ')}; there are ${all.join(', ')}`);

  print(`seed ${seed}`);
  const figures: Record<string, string | number> = { seed };
  for (const name of parts) {
    const startedAt = performance.now();
    print(`\n== ${name}`);
    const part = (await import(pathToFileURL(join(ROOM, `${name}.ts`)).href)) as Part;
    const shown = await part.default({ seed, size: values.size, print });
    for (const figure of OWED[name] ?? [])
      if (!Number.isFinite(shown[figure])) throw new Error(`the part ${name} did not measure ${figure}`);
    for (const [figure, value] of Object.entries(shown)) {
      if (Object.hasOwn(figures, figure)) throw new Error(`two parts measure ${figure}`);
      figures[figure] = value;
    }
    print(`   ${JSON.stringify(shown)}   ${Math.round((performance.now() - startedAt) / 1000)} s`);
  }
  return figures;
}
