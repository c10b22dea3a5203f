/**
 * What a subject reads of an access to it, and from when: visibility.yaml, which lawyers read. Everything is computed from
 * the record alone, so that an entry which is shown late looks as if it had always stood in its place.
 */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Purpose } from '../../schema/purpose.ts';
import { PURPOSES } from '../../schema/purpose.ts';

const text = z.object({ zh: z.string().min(1), en: z.string().min(1) }).strict();
export type Text = z.infer<typeof text>;

/** ISO 8601 days → milliseconds. */
const days = z
  .string()
  .regex(/^P\d{1,5}D$/, 'a duration in days, such as P180D')
  .transform((iso) => Number(iso.slice(1, -1)) * 86_400_000);
const clauses = z.array(z.string().min(1)).nonempty();

const rule = z
  .object({
    purpose: z.enum(PURPOSES),
    name: text,
    shownAs: z.string().regex(/^[A-Z_]+$/),
    who: z.enum(['NAME', 'CLASS']),
    delay: z.object({ for: days, most: days, until: text }).strict().optional(),
    basis: clauses.optional(),
  })
  .strict();
export type VisibilityRule = z.infer<typeof rule>;

const fileSchema = z
  .object({
    classes: z.record(z.string().regex(/^[A-Z_]+$/), text),
    authority: text,
    unnamed: z.array(z.object({ department: z.string(), basis: clauses }).strict()),
    purposes: z.array(rule).nonempty(),
  })
  .strict();

export interface Visibility {
  ruleOf(purpose: Purpose): VisibilityRule;
  /** How a purpose is called to the subject; `purpose` is null where only its class is shown. */
  reasonOf(purpose: Purpose): { readonly purpose: Purpose | null; readonly code: string } & Text;
  /** True where only `authority` is shown of who it was. */
  isUnnamed(purpose: Purpose, department: string | undefined): boolean;
  readonly authority: Text;
  /** The purposes that are shown late, and after how many milliseconds. */
  readonly delays: readonly { readonly purpose: Purpose; readonly milliseconds: number }[];
}

export class VisibilityError extends Error {
  constructor(problems: readonly string[]) {
    super(`visibility.yaml is not valid:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'VisibilityError';
  }
}

/** Reads visibility.yaml. Throws VisibilityError. */
export function loadVisibility(): Visibility {
  return parseVisibility(parse(readFileSync(new URL('./visibility.yaml', import.meta.url), 'utf8')));
}

export function parseVisibility(input: unknown): Visibility {
  const parsed = fileSchema.safeParse(input);
  if (!parsed.success)
    throw new VisibilityError(
      parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`),
    );
  const { classes, authority, unnamed, purposes } = parsed.data;
  const problems = findProblems(parsed.data);
  if (problems.length > 0) throw new VisibilityError(problems);
  const rules = new Map(purposes.map((one) => [one.purpose, one]));
  const ruleOf = (purpose: Purpose): VisibilityRule => {
    const found = rules.get(purpose);
    if (!found) throw new VisibilityError([`${purpose}: is missing`]);
    return found;
  };
  return {
    ruleOf,
    reasonOf(purpose) {
      const { shownAs, name } = ruleOf(purpose);
      const shown = classes[shownAs];
      return shown ? { purpose: null, code: shownAs, ...shown } : { purpose, code: purpose, ...name };
    },
    isUnnamed: (purpose, department) =>
      ruleOf(purpose).who === 'CLASS' || unnamed.some((one) => one.department === department),
    authority,
    delays: purposes.flatMap(({ purpose, delay }) => (delay ? [{ purpose, milliseconds: delay.for }] : [])),
  };
}

function findProblems({ classes, purposes }: z.infer<typeof fileSchema>): readonly string[] {
  const named = purposes.map(({ purpose }) => purpose);
  const longest = Math.max(0, ...purposes.map(({ delay }) => delay?.for ?? 0));
  return [
    ...PURPOSES.filter((purpose) => !named.includes(purpose)).map((purpose) => `${purpose}: is missing`),
    ...named.filter((purpose, at) => named.indexOf(purpose) !== at).map((one) => `${one}: stands twice`),
    ...purposes
      .filter(({ shownAs }) => shownAs !== 'PURPOSE' && !Object.hasOwn(classes, shownAs))
      .map(({ purpose, shownAs }) => `${purpose}: no class is called ${shownAs}`),
    ...purposes
      .filter(
        ({ shownAs, who, delay, basis }) => (shownAs !== 'PURPOSE' || who === 'CLASS' || delay) && !basis,
      )
      .map(({ purpose }) => `${purpose}: is withheld or shown as less than it is, so it needs a basis`),
    ...purposes
      .filter(({ delay }) => delay && delay.most < delay.for)
      .map(({ purpose }) => `${purpose}: its delay is longer than the most that it may be`),
    ...purposes
      .filter(
        ({ delay, shownAs }) =>
          delay &&
          shownAs !== 'PURPOSE' &&
          purposes.every((other) => other.shownAs !== shownAs || other.delay),
      )
      .map(({ purpose, shownAs }) => `${purpose}: ${shownAs} covers only what is delayed, so it tells that`),
    // Whoever reads of a review before it reads of what was reviewed knows that there was something to review.
    ...purposes
      .filter(({ purpose, delay }) => purpose === 'AUDIT' && (delay?.for ?? 0) < longest)
      .map(() => 'AUDIT: is shown before the longest delay is over'),
  ];
}
