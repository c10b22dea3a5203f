/** Purpose templates: how far a consent may go at most (after the fair-use templates of account aggregation). */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { CONSENT_CHANNELS } from '../../schema/consent.ts';
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

/** Whom a template tells apart: a sole trader counts as a person where personal information is concerned. */
export type SubjectClass = 'organisation' | 'person';

const days = z.number().int().positive();
const frequency = z.object({ times: days, per: z.enum(['CONSENT', 'DAY', 'MONTH']) }).strict();
const channels = z.array(z.enum(CONSENT_CHANNELS)).nonempty();
const template = z
  .object({
    purpose: z.enum(PURPOSES),
    maxExpiryDays: days,
    maxPeriodDays: days,
    maxDataLifeDays: days,
    frequency,
    channels: z.object({ organisation: channels, person: channels }).strict(),
  })
  .strict();
export type Template = z.infer<typeof template>;

const item = z.string().regex(/^[a-z][a-z-]*\.[a-z][a-z-]*$/);
const product = z
  .object({
    id: z.string().min(1),
    purpose: z.enum(PURPOSES),
    items: z.array(item).nonempty(),
    mayAsk: z.array(item),
    proposes: z.object({ expiryDays: days, lookBackDays: days, dataLifeDays: days, frequency }).strict(),
    caps: z
      .object({ maxExpiryDays: days, maxPeriodDays: days, maxDataLifeDays: days, frequency })
      .partial()
      .strict()
      .default({}),
  })
  .strict();
/** A loan product as far as consents for it go. */
export type ProductTemplate = z.infer<typeof product>;

export interface Templates {
  readonly purposes: ReadonlyMap<Purpose, Template>;
  readonly products: ReadonlyMap<string, ProductTemplate>;
}

/** An attribute of a consent that goes beyond its template, and the rule that it breaks. */
export interface Breach {
  readonly attribute: 'purpose' | 'expiresAt' | 'periodFrom' | 'periodUntil' | 'dataLifeDays' | 'frequency';
  readonly rule: string;
}

const DAY_MS = 86_400_000;
/** The shortest month: so a daily allowance never slips through a monthly cap, nor the reverse. */
const DAYS_PER: Readonly<Record<'DAY' | 'MONTH', number>> = { DAY: 1, MONTH: 28 };

/** Reads templates.yaml. Throws when a product names a purpose that has no template. */
export function loadTemplates(): Templates {
  const file = readFileSync(new URL('./templates.yaml', import.meta.url), 'utf8');
  const { templates, products } = z
    .object({ templates: z.array(template).nonempty(), products: z.array(product).nonempty() })
    .strict()
    .parse(parse(file));
  const purposes = new Map(templates.map((one) => [one.purpose, one]));
  for (const { id, purpose } of products)
    if (!purposes.has(purpose)) throw new Error(`templates.yaml: ${id} has no template for ${purpose}`);
  return { purposes, products: new Map(products.map((one) => [one.id, one])) };
}

/**
 * The first attribute that goes too far; null when the terms are within the template of their purpose and, for a draft,
 * within the caps of its product. `now` in ms.
 */
export function findBreach(
  terms: ConsentTerms,
  { purposes }: Pick<Templates, 'purposes'>,
  now: number,
  product: ProductTemplate | null = null,
): Breach | null {
  const general = purposes.get(terms.purpose);
  if (!general || (product && product.purpose !== terms.purpose))
    return { attribute: 'purpose', rule: 'cannot be consented to' };
  const own = product?.caps ?? {};
  const strictest = (name: 'maxExpiryDays' | 'maxPeriodDays' | 'maxDataLifeDays') =>
    Math.min(general[name], own[name] ?? Infinity);
  const { expiresAt, periodFrom, periodUntil, dataLifeDays, frequency: often } = terms;
  if (!(expiresAt > now)) return { attribute: 'expiresAt', rule: 'must lie ahead' };
  if (expiresAt - now > strictest('maxExpiryDays') * DAY_MS)
    return { attribute: 'expiresAt', rule: `must lie within ${strictest('maxExpiryDays')} days` };
  if (!(periodFrom <= periodUntil)) return { attribute: 'periodFrom', rule: 'must not be after periodUntil' };
  if (periodUntil > expiresAt) return { attribute: 'periodUntil', rule: 'must not be after expiresAt' };
  if (periodUntil - periodFrom > strictest('maxPeriodDays') * DAY_MS)
    return {
      attribute: 'periodFrom',
      rule: `must lie at most ${strictest('maxPeriodDays')} days before periodUntil`,
    };
  if (!(Number.isInteger(dataLifeDays) && dataLifeDays >= 1 && dataLifeDays <= strictest('maxDataLifeDays')))
    return { attribute: 'dataLifeDays', rule: `must be 1 to ${strictest('maxDataLifeDays')}` };
  for (const cap of own.frequency ? [general.frequency, own.frequency] : [general.frequency])
    if (!(often.times >= 1) || exceeds(terms, cap, now))
      return { attribute: 'frequency', rule: `must be at most ${cap.times} per ${cap.per}` };
  return null;
}

/** Whether the frequency can, in any period of the cap, allow more than the cap. */
export function exceeds(
  { frequency, expiresAt }: Pick<ConsentTerms, 'frequency' | 'expiresAt'>,
  cap: Frequency,
  now: number,
): boolean {
  // What a whole consent allows is the most that any period within it can see.
  if (frequency.per === 'CONSENT') return frequency.times > cap.times;
  const consentDays = Math.ceil((expiresAt - now) / DAY_MS);
  const capDays = cap.per === 'CONSENT' ? consentDays : DAYS_PER[cap.per];
  const unitDays = DAYS_PER[frequency.per];
  // An allowance of a longer period may all be used up within the shorter one of the cap.
  return frequency.times * Math.max(1, Math.ceil(capDays / unitDays)) > cap.times;
}
