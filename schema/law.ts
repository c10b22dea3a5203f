/**
 * The law as data (law.yaml): what an item of a catalogue may be at all, before any grant of it is looked at. The gateway and
 * the loader of catalogues both read it, so that what the law forbids is refused when it is written and again when it is asked.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';
import { PRINCIPAL_KINDS } from './purpose.ts';

export const LAW_RULES = ['NEVER', 'SEALED', 'WRITTEN_CONSENT', 'ORDINARY'] as const;
export type LawRule = (typeof LAW_RULES)[number];

const name = z.string().regex(/^[a-z][a-z-]*$/);
const clauses = z.array(z.string().min(1)).nonempty();

export const lawSchema = z
  .object({
    version: z.string().min(1),
    categories: z.record(
      name,
      z.object({ zh: z.string().min(1), en: z.string().min(1), rule: z.enum(LAW_RULES), clauses }).strict(),
    ),
    only: z.record(name, z.object({ categories: z.array(name), clauses }).strict()),
    afterPublication: z
      .object({ principals: z.array(z.enum(PRINCIPAL_KINDS)), self: z.boolean(), clauses })
      .strict(),
    minor: z.object({ below: z.number().int().positive(), clauses }).strict(),
    ended: z.object({ clauses }).strict(),
  })
  .strict();
export type Law = z.infer<typeof lawSchema>;

/** Reads law.yaml. Throws ZodError when it has not the form. */
export function loadLaw(): Law {
  const file = fileURLToPath(new URL('./law.yaml', import.meta.url));
  return lawSchema.parse(parse(readFileSync(file, 'utf8')));
}

/** The rule that the law has for what a department holds of a category, and its clauses. An unknown category is forbidden. */
export function ruleOf(
  law: Law,
  item: { readonly id: string; readonly category: string },
): { readonly rule: LawRule; readonly clauses: readonly string[] } {
  const only = law.only[item.id.split('.', 1)[0] ?? ''];
  if (only && !only.categories.includes(item.category)) return { rule: 'NEVER', clauses: only.clauses };
  return law.categories[item.category] ?? { rule: 'NEVER', clauses: [] };
}
