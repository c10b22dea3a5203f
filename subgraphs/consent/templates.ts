/** Purpose templates: how far a consent may go at most (after the fair-use templates of account aggregation). */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Purpose } from '../../schema/purpose.ts';
import { PURPOSES } from '../../schema/purpose.ts';

export type FrequencyUnit = 'CONSENT' | 'DAY' | 'MONTH';

export interface Frequency {
  readonly times: number;
  readonly per: FrequencyUnit;
}

/** What somebody wants to consent to; times in ms since the epoch. */
export interface ConsentTerms {
  readonly purpose: Purpose;
  readonly expiresAt: number;
  readonly periodFrom: number;
  readonly periodUntil: number;
  readonly dataLifeDays: number;
  readonly frequency: Frequency;
}

const days = z.number().int().positive();
const template = z
  .object({
    purpose: z.enum(PURPOSES),
    maxExpiryDays: days,
    maxPeriodDays: days,
    maxDataLifeDays: days,
    frequency: z.object({ times: days, per: z.enum(['CONSENT', 'DAY', 'MONTH']) }).strict(),
  })
  .strict();
export type Template = z.infer<typeof template>;

/** An attribute of a consent that goes beyond its template, and the rule that it breaks. */
export interface Breach {
  readonly attribute: 'purpose' | 'expiresAt' | 'periodFrom' | 'periodUntil' | 'dataLifeDays' | 'frequency';
  readonly rule: string;
}

const DAY_MS = 86_400_000;
/** The shortest month: so a daily allowance never slips through a monthly cap, nor the reverse. */
const DAYS_PER: Readonly<Record<'DAY' | 'MONTH', number>> = { DAY: 1, MONTH: 28 };

/** Reads templates.yaml, by purpose. */
export function loadTemplates(): ReadonlyMap<Purpose, Template> {
  const file = readFileSync(new URL('./templates.yaml', import.meta.url), 'utf8');
  const { templates } = z
    .object({ templates: z.array(template).nonempty() })
    .strict()
    .parse(parse(file));
  return new Map(templates.map((one) => [one.purpose, one]));
}

/** The first attribute that goes too far; null when the terms are within the template. `now` in ms. */
export function findBreach(
  terms: ConsentTerms,
  templates: ReadonlyMap<Purpose, Template>,
  now: number,
): Breach | null {
  const caps = templates.get(terms.purpose);
  if (!caps) return { attribute: 'purpose', rule: 'cannot be consented to' };
  if (!(terms.expiresAt > now)) return { attribute: 'expiresAt', rule: 'must lie ahead' };
  if (terms.expiresAt - now > caps.maxExpiryDays * DAY_MS)
    return { attribute: 'expiresAt', rule: `must lie within ${caps.maxExpiryDays} days` };
  if (!(terms.periodFrom <= terms.periodUntil))
    return { attribute: 'periodFrom', rule: 'must not be after periodUntil' };
  if (terms.periodUntil > terms.expiresAt)
    return { attribute: 'periodUntil', rule: 'must not be after expiresAt' };
  if (terms.periodUntil - terms.periodFrom > caps.maxPeriodDays * DAY_MS)
    return {
      attribute: 'periodFrom',
      rule: `must lie at most ${caps.maxPeriodDays} days before periodUntil`,
    };
  if (!(terms.dataLifeDays >= 1 && terms.dataLifeDays <= caps.maxDataLifeDays))
    return { attribute: 'dataLifeDays', rule: `must be 1 to ${caps.maxDataLifeDays}` };
  if (!(terms.frequency.times >= 1) || exceeds(terms, caps.frequency, now))
    return {
      attribute: 'frequency',
      rule: `must be at most ${caps.frequency.times} per ${caps.frequency.per}`,
    };
  return null;
}

/** Whether the frequency can, in any period of the cap, allow more than the cap. */
function exceeds({ frequency, expiresAt }: ConsentTerms, cap: Frequency, now: number): boolean {
  const consentDays = Math.ceil((expiresAt - now) / DAY_MS);
  const capDays = cap.per === 'CONSENT' ? consentDays : DAYS_PER[cap.per];
  const unitDays = frequency.per === 'CONSENT' ? consentDays : DAYS_PER[frequency.per];
  // An allowance of a longer period may all be used up within the shorter one of the cap.
  return frequency.times * Math.max(1, Math.ceil(capDays / unitDays)) > cap.times;
}
