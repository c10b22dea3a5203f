/** How far an emergency access may go: rules.yaml and the grants of the catalogue. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Catalogue } from '../../schema/catalogue.ts';
import { grantsFor } from '../../schema/catalogue.ts';

const count = z.number().int().positive();
/** ISO 8601 days or hours → milliseconds. */
const duration = z
  .string()
  .regex(/^P(\d{1,5}D|T\d{1,5}H)$/, 'a duration in days or hours, such as P365D or PT72H')
  .transform((iso) => Number(/\d+/.exec(iso)?.[0]) * (iso.endsWith('D') ? 86_400_000 : 3_600_000));

const rulesSchema = z
  .object({
    reason: z.object({ least: count, most: count }).strict(),
    items: z.object({ most: count }).strict(),
    minutes: z.object({ most: count }).strict(),
    open: z.object({ most: count }).strict(),
    reviewWithin: duration,
    barredFor: duration,
  })
  .strict();
/** Durations in ms. */
export type Rules = z.infer<typeof rulesSchema>;

/** Reads rules.yaml. */
export function loadRules(): Rules {
  return rulesSchema.parse(parse(readFileSync(new URL('./rules.yaml', import.meta.url), 'utf8')));
}

export interface Request {
  readonly items: readonly string[];
  readonly reason: string;
  readonly minutes: number;
}

export interface Breach {
  readonly attribute: 'items' | 'reason' | 'minutes';
  readonly rule: string;
}

/** The first thing that goes too far; null when the request is within the rules. `department`: the officer's. */
export function findBreach(
  { items, reason, minutes }: Request,
  rules: Rules,
  catalogue: Catalogue,
  department: string,
): Breach | null {
  if (!isPlainText(reason, rules.reason))
    return {
      attribute: 'reason',
      rule: `must be ${rules.reason.least} to ${rules.reason.most} printable characters`,
    };
  if (!Number.isInteger(minutes) || minutes < 1 || minutes > rules.minutes.most)
    return { attribute: 'minutes', rule: `must be 1 to ${rules.minutes.most}` };
  if (items.length < 1 || new Set(items).size !== items.length || items.length > rules.items.most)
    return { attribute: 'items', rule: `must be 1 to ${rules.items.most} different items` };
  if (!items.every((item) => isReleasable(catalogue, item, department)))
    return { attribute: 'items', rule: 'holds what the catalogue does not release to this department' };
  return null;
}

/** An item is released only where its own catalogue says so, to officers of this department in an emergency. */
export function isReleasable(catalogue: Catalogue, id: string, department: string): boolean {
  const item = catalogue.get(id);
  if (!item || item.publicity === 'PUBLIC') return false;
  return grantsFor(item, { kind: 'department', department, purpose: 'EMERGENCY' }).some(
    ({ requires }) => requires === 'BREAK_GLASS',
  );
}

/** Between so many characters, counted without what surrounds them, and none that cannot be printed but line ends. */
export function isPlainText(text: string, { least, most }: { least: number; most: number }): boolean {
  const { length } = [...text.trim()];
  return length >= least && length <= most && !/[^\P{Cc}\n]/u.test(text);
}
