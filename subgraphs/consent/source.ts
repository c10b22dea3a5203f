/** What a caller sends → what the register keeps; the attribute at fault is named when it does not fit. */
import { createError } from '../../schema/errors.ts';
import type { Principal } from '../../schema/principal.ts';
import type { Purpose } from '../../schema/purpose.ts';
import type { NewConsent } from './artefacts.ts';
import type { Frequency, Template } from './templates.ts';
import { findBreach } from './templates.ts';

/** GrantConsentInput, its scalars already parsed. */
export interface GrantConsentInput {
  readonly subject: string;
  readonly consumer: string;
  readonly purpose: Purpose;
  readonly items: readonly string[];
  readonly expiresAt: string;
  readonly periodFrom: string;
  readonly periodUntil: string;
  readonly dataLifeDays: number;
  readonly frequency: Frequency;
}

const ITEM = /^[a-z][a-z-]*\.[a-z][a-z-]*$/;
const CONSUMER = /^[\w.-]{1,128}$/;
const MOST_ITEMS = 64;

/** Throws INVALID_INPUT with `extensions.attribute`. */
export function toNewConsent(
  input: GrantConsentInput,
  principal: Principal,
  templates: ReadonlyMap<Purpose, Template>,
  now: number,
): NewConsent {
  if (!CONSUMER.test(input.consumer)) throw invalid('consumer', 'is not the id of a consumer');
  // The wildcard is for a sandbox; a person consents to items by their names.
  if (
    input.items.length === 0 ||
    input.items.length > MOST_ITEMS ||
    !input.items.every((item) => ITEM.test(item))
  )
    throw invalid('items', `must be 1 to ${MOST_ITEMS} items of the catalogue`);
  const terms = {
    purpose: input.purpose,
    expiresAt: Date.parse(input.expiresAt),
    periodFrom: Date.parse(input.periodFrom),
    periodUntil: Date.parse(input.periodUntil),
    dataLifeDays: input.dataLifeDays,
    frequency: { times: input.frequency.times, per: input.frequency.per },
  };
  const breach = findBreach(terms, templates, now);
  if (breach) throw invalid(breach.attribute, breach.rule);
  return {
    ...terms,
    subject: input.subject,
    consumer: input.consumer,
    items: [...new Set(input.items)],
    grantedBy: principal.id,
    grantedAt: now,
  };
}

function invalid(attribute: string, rule: string) {
  return createError('INVALID_INPUT', { detail: `input.${attribute} ${rule}.`, extensions: { attribute } });
}
