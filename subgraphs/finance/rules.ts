/** The rules of the assessment and the loan products: data beside this file, checked once when it is read. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { PURPOSES } from '../../schema/purpose.ts';

const value = z.union([z.string(), z.number(), z.boolean(), z.null()]);

/** The closed list of operators; each condition has exactly one. */
const condition = z.union([
  z.object({ is: value }).strict(),
  z.object({ in: z.array(value).nonempty() }).strict(),
  z.object({ above: z.number() }).strict(),
  z.object({ atLeast: z.number() }).strict(),
  z.object({ below: z.number() }).strict(),
  z.object({ atMost: z.number() }).strict(),
]);

const rule = z
  .object({
    id: z.string().min(1),
    when: z
      .record(z.string().regex(/^[a-z][a-z-]*\.[a-z][A-Za-z]*$/, 'a fact such as tax.grade'), condition)
      .refine((conditions) => Object.keys(conditions).length > 0, 'at least one condition'),
    effect: z.enum(['VETO', 'REVIEW', 'PLUS', 'MINUS']),
    points: z.number().int().default(0),
    zh: z.string().min(1),
    en: z.string().min(1),
    basis: z.string().min(1),
  })
  .strict()
  .refine(({ effect, points }) => (effect === 'PLUS' ? points > 0 : points <= 0), 'only PLUS may add points')
  .refine(({ effect, points }) => effect !== 'MINUS' || points < 0, 'MINUS must take points');

const rulesSchema = z
  .object({
    version: z.string().min(1),
    baseScore: z.number().int().min(0).max(100),
    rules: z.array(rule).nonempty(),
  })
  .strict();

const department = z.string().regex(/^[a-z][a-z-]*$/);
const product = z
  .object({
    id: z.string().min(1),
    name: z.object({ zh: z.string().min(1), en: z.string().min(1) }).strict(),
    purposes: z.array(z.enum(PURPOSES)).nonempty(),
    departments: z.array(department).nonempty(),
    /** Those of `departments` that completeness is counted over. */
    required: z.array(department).nonempty(),
    items: z.array(z.string().min(1)).nonempty(),
    minimumCompleteness: z.number().gt(0).max(1),
    recommendFrom: z.number().int(),
    declineBelow: z.number().int(),
  })
  .strict()
  .refine(
    ({ departments, required }) => required.every((name) => departments.includes(name)),
    'required must be asked',
  );

export type Condition = z.infer<typeof condition>;
export type Rule = z.infer<typeof rule>;
export type Rules = z.infer<typeof rulesSchema>;
export type LoanProduct = z.infer<typeof product>;

/** Throws ZodError for rules that are not well formed. */
export const parseRules = (input: unknown): Rules => rulesSchema.parse(input);

/** Reads rules.yaml. */
export const loadRules = (): Rules => parseRules(readBeside('rules.yaml'));

/** Reads products.yaml, by id. */
export function loadProducts(): ReadonlyMap<string, LoanProduct> {
  const { products } = z.object({ products: z.array(product) }).parse(readBeside('products.yaml'));
  return new Map(products.map((one) => [one.id, one]));
}

function readBeside(name: string): unknown {
  return parse(readFileSync(new URL(`./${name}`, import.meta.url), 'utf8'));
}
