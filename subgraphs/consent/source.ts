/** What a caller sends → terms and proposals within their templates; the attribute at fault is named when it does not fit. */
import { createError } from '../../schema/errors.ts';
import type { ConsentChannel } from '../../schema/consent.ts';
import type { Principal } from '../../schema/principal.ts';
import type { Purpose } from '../../schema/purpose.ts';
import type { SubjectIds } from '../../schema/subject-id.ts';
import type { AuthorisationText } from './authorisation-text.ts';
import { toAuthorisationText } from './authorisation-text.ts';
import type { ConsentingSubject } from './givers.ts';
import { toConsentingSubject } from './givers.ts';
import type { FactsOf, ItemFacts } from './items.ts';
import { toDay } from './register.ts';
import type { ConsentTerms, Frequency, ProductTemplate, SubjectClass, Templates } from './templates.ts';
import { exceeds, findBreach } from './templates.ts';

/** What is known of consents before anybody asks. */
export interface ConsentRules {
  readonly templates: Templates;
  readonly factsOf: FactsOf;
  readonly catalogueVersion: string;
}

/** ConsentTermsInput, its scalars already parsed; what is left out stays as it is proposed. */
export interface TermsInput {
  readonly expiresAt?: string | null;
  readonly periodFrom?: string | null;
  readonly periodUntil?: string | null;
  readonly dataLifeDays?: number | null;
  readonly frequency?: Frequency | null;
}

/** PrepareConsentInput. */
export interface PrepareConsentInput {
  readonly code?: string | null;
  readonly subject?: string | null;
  readonly product: string;
  readonly purpose: Purpose;
  readonly channel?: ConsentChannel | null;
  readonly items?: readonly string[] | null;
  readonly terms?: TermsInput | null;
}

/** What a bank asks a subject to consent to. */
export interface Proposal {
  readonly subject: string;
  readonly consumer: string;
  readonly purpose: Purpose;
  readonly product: string;
  readonly channel: ConsentChannel;
  readonly items: readonly string[];
  readonly terms: ConsentTerms;
  readonly text: AuthorisationText;
}

const DAY_MS = 86_400_000;
const CONSUMER = /^[\w.-]{1,128}$/;
const MOST_ITEMS = 64;

/** Throws INVALID_INPUT with `extensions.attribute`. Nothing is looked up: a subject that does not exist gets the same draft. */
export function toProposal(
  input: PrepareConsentInput,
  principal: Principal,
  { templates, factsOf }: ConsentRules,
  subjectIds: SubjectIds,
  now: number,
): Proposal {
  if ((input.code ?? null) === (input.subject ?? null) || (input.code && input.subject))
    throw invalid('subject', 'or input.code must be given, and not both');
  const subject = toSubject(
    subjectIds,
    input.code ? subjectIds.ofOrganisation(input.code) : (input.subject ?? ''),
    now,
  );
  if (input.purpose !== principal.purpose)
    throw invalid('purpose', 'must be the one for which the caller asks');
  const product = templates.products.get(input.product);
  if (!product) throw invalid('product', 'names no product');
  if (product.purpose !== input.purpose) throw invalid('purpose', 'is not that of the product');
  const channel = toChannel(input.channel, input.purpose, subject.classOf, templates);
  const items = [...new Set(input.items ?? product.items)];
  const allowed = [...product.items, ...product.mayAsk];
  if (items.length === 0 || !items.every((item) => allowed.includes(item)))
    throw invalid('items', 'must be items that the product needs or may ask for');
  const terms = toTerms(input.terms ?? {}, proposedTerms(product, now));
  assertWithin(terms, templates, now, product);
  // Whether the subject is a minor is not the bank's to know: its draft and its text do not depend on it.
  const facts = toFacts(items, factsOf, {
    purpose: input.purpose,
    subject: subject.classOf,
    isUnder14: false,
  });
  const text = toAuthorisationText({
    code: codeOf(subjectIds, subject),
    consumer: principal.id,
    product: product.id,
    channel,
    terms,
    items: facts,
  });
  return {
    subject: subject.id,
    consumer: principal.id,
    purpose: input.purpose,
    product: product.id,
    channel,
    items,
    terms,
    text,
  };
}

/** What the subject narrows of a proposal → the terms that it agrees to. Throws INVALID_INPUT for whatever is wider. */
export function toNarrowerTerms(input: TermsInput, proposed: ConsentTerms, now: number): ConsentTerms {
  const terms = toTerms(input, proposed);
  if (terms.expiresAt > proposed.expiresAt) throw invalid('expiresAt', 'must not be later than proposed');
  if (terms.periodFrom < proposed.periodFrom)
    throw invalid('periodFrom', 'must not be earlier than proposed');
  // A consent that ends earlier covers no later days.
  const periodUntil = Math.min(terms.periodUntil, Date.parse(toDay(terms.expiresAt)));
  if (terms.periodUntil > proposed.periodUntil)
    throw invalid('periodUntil', 'must not be later than proposed');
  if (terms.dataLifeDays > proposed.dataLifeDays)
    throw invalid('dataLifeDays', 'must not be longer than proposed');
  if (exceeds(terms, proposed.frequency, now)) throw invalid('frequency', 'must not be higher than proposed');
  return { ...terms, periodUntil };
}

export function assertWithin(
  terms: ConsentTerms,
  templates: Templates,
  now: number,
  product: ProductTemplate | null,
): void {
  const breach = findBreach(terms, templates, now, product);
  if (breach) throw invalid(breach.attribute, breach.rule);
}

export function assertConsumer(consumer: string): void {
  if (!CONSUMER.test(consumer)) throw invalid('consumer', 'is not the id of a consumer');
}

/** The facts of each item; throws where one cannot be consented to for the purpose. The wildcard of a sandbox is none. */
export function toFacts(
  items: readonly string[],
  factsOf: FactsOf,
  about: Parameters<FactsOf>[1],
): readonly ItemFacts[] {
  if (items.length === 0 || items.length > MOST_ITEMS)
    throw invalid('items', `must be 1 to ${MOST_ITEMS} items of the catalogue`);
  return items.map((item) => {
    const facts = factsOf(item, about);
    if (!facts)
      throw invalid('items', 'must be items of the catalogue that can be consented to for the purpose');
    return facts;
  });
}

/** The channel, or the default one of this class of subjects. */
export function toChannel(
  channel: ConsentChannel | null | undefined,
  purpose: Purpose,
  classOf: SubjectClass,
  { purposes }: Templates,
): ConsentChannel {
  const allowed = purposes.get(purpose)?.channels[classOf] ?? [];
  const [usual] = allowed;
  if (!usual) throw invalid('purpose', 'cannot be consented to');
  if (channel && !allowed.includes(channel))
    throw invalid('channel', `must be ${allowed.join(' or ')} for this subject and purpose`);
  return channel ?? usual;
}

export function toSubject(subjectIds: SubjectIds, id: string, now: number): ConsentingSubject {
  const subject = toConsentingSubject(subjectIds, id, now);
  if (!subject) throw invalid('subject', 'is not the id of a credit subject');
  return subject;
}

export function codeOf(subjectIds: SubjectIds, subject: ConsentingSubject): string | null {
  const opened = subjectIds.open(subject.id);
  return opened && opened.kind !== 'NATURAL_PERSON' ? opened.code : null;
}

/** INVALID_INPUT that names the attribute of the input which is at fault; never its value. */
export function invalid(attribute: string, rule: string) {
  return createError('INVALID_INPUT', { detail: `input.${attribute} ${rule}.`, extensions: { attribute } });
}

function proposedTerms({ purpose, proposes }: ProductTemplate, now: number): ConsentTerms {
  const expiresAt = now + proposes.expiryDays * DAY_MS;
  return {
    purpose,
    expiresAt,
    periodFrom: Date.parse(toDay(now - proposes.lookBackDays * DAY_MS)),
    periodUntil: Date.parse(toDay(expiresAt)),
    dataLifeDays: proposes.dataLifeDays,
    frequency: proposes.frequency,
  };
}

function toTerms(input: TermsInput, otherwise: ConsentTerms): ConsentTerms {
  const time = (attribute: 'expiresAt' | 'periodFrom' | 'periodUntil') => {
    const text = input[attribute];
    return text === null || text === undefined ? otherwise[attribute] : Date.parse(text);
  };
  const often = input.frequency ?? otherwise.frequency;
  return {
    purpose: otherwise.purpose,
    expiresAt: time('expiresAt'),
    periodFrom: time('periodFrom'),
    periodUntil: time('periodUntil'),
    dataLifeDays: input.dataLifeDays ?? otherwise.dataLifeDays,
    frequency: { times: often.times, per: often.per },
  };
}
