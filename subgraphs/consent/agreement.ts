/** What a subject has agreed to → the consent that is kept, checked against every rule, and signed. Writes nothing. */
import type { ConsentChannel } from '../../schema/consent.ts';
import { createError } from '../../schema/errors.ts';
import type { Principal } from '../../schema/principal.ts';
import type { Purpose } from '../../schema/purpose.ts';
import type { SignatureSuite } from '../../schema/signatures/suite.ts';
import type { SubjectIds } from '../../schema/subject-id.ts';
import type { NewConsent } from './artefacts.ts';
import { toAuthorisationText } from './authorisation-text.ts';
import { findGiver } from './givers.ts';
import { toDay } from './register.ts';
import { signArtefact, toMark } from './signing.ts';
import type { ConsentRules } from './source.ts';
import { assertWithin, codeOf, invalid, toChannel, toFacts, toSubject } from './source.ts';
import type { ConsentTerms } from './templates.ts';

/** The ticks of the one who decides: one for each class of items that needs a consent of its own. */
export interface Acknowledgements {
  readonly acknowledgesPersonal?: boolean | null;
  readonly acknowledgesSensitive?: boolean | null;
  readonly acknowledgesWritten?: boolean | null;
  /** Reference of the document by which an agent is authorised. */
  readonly authorisation?: string | null;
}

export interface Agreement extends Acknowledgements {
  readonly subject: string;
  readonly consumer: string;
  readonly purpose: Purpose;
  readonly product: string | null;
  readonly channel: ConsentChannel | null;
  readonly decisions: readonly { readonly item: string; readonly accepted: boolean }[];
  readonly terms: ConsentTerms;
  /** The draft that was decided, and the digest of its text; null for a consent that nobody had proposed. */
  readonly draft: { readonly id: string; readonly textDigest: string } | null;
}

export interface AgreementTools {
  readonly rules: ConsentRules;
  readonly subjectIds: SubjectIds;
  readonly suite: SignatureSuite;
  /** A fresh UUID, and a fresh salt that nobody can guess. */
  readonly newId: () => string;
  readonly newSalt: () => string;
}

const DOCUMENT = /^[\p{L}\p{N}][\p{L}\p{N} ./()（）〔〕号-]{2,127}$/u;

/** Throws FORBIDDEN for whoever may not consent for the subject, else INVALID_INPUT that names the attribute. */
export function toNewConsent(
  agreement: Agreement,
  principal: Principal,
  { rules, subjectIds, suite, newId, newSalt }: AgreementTools,
  now: number,
): NewConsent {
  const { consumer, purpose, terms, decisions, draft } = agreement;
  const subject = toSubject(subjectIds, agreement.subject, now);
  const found = findGiver(principal, subject);
  if ('refusal' in found) throw mayNotGive(found.refusal);
  const { giver } = found;
  const authorisation = toAuthorisation(agreement.authorisation, giver === 'AGENT');

  const product =
    agreement.product === null ? null : (rules.templates.products.get(agreement.product) ?? null);
  if (agreement.product !== null && product === null) throw invalid('product', 'names no product any more');
  assertWithin(terms, rules.templates, now, product);
  if (subject.comesOfAge !== null && toDay(terms.expiresAt) > subject.comesOfAge)
    throw invalid('expiresAt', 'must not lie after the subject comes of age');
  const channel = toChannel(agreement.channel, purpose, subject.classOf, rules.templates);

  const accepted = decisions.filter((one) => one.accepted).map(({ item }) => item);
  const about = { purpose, subject: subject.classOf, isUnder14: subject.isUnder14 };
  const facts = toFacts(accepted, rules.factsOf, about);
  const needs = {
    personal: facts.some(({ isPersonal }) => isPersonal),
    sensitive: facts.some(({ isSensitive }) => isSensitive),
    written: facts.some(({ isWritten }) => isWritten),
  };
  if (needs.personal && agreement.acknowledgesPersonal !== true)
    throw invalid('acknowledgesPersonal', 'must be ticked for items that tell of a person (PIPL art. 23)');
  if (needs.sensitive && agreement.acknowledgesSensitive !== true)
    throw invalid('acknowledgesSensitive', 'must be ticked for sensitive items (PIPL art. 29)');
  if (needs.written && agreement.acknowledgesWritten !== true)
    throw invalid(
      'acknowledgesWritten',
      'must be ticked for items that need a consent in writing (征信业管理条例 art. 14)',
    );

  const code = codeOf(subjectIds, subject);
  const text = toAuthorisationText({
    code,
    consumer,
    product: agreement.product,
    channel,
    terms,
    items: facts,
  });
  const [id, salt] = [newId(), newSalt()];
  const writtenItems = facts.filter(({ isWritten }) => isWritten).map(({ item }) => item);
  const signed = signArtefact(suite, {
    kind: 'jinxin-consent',
    version: 1,
    id,
    draft: draft?.id ?? null,
    subject: code === null ? toMark(salt, subject.id) : subject.id,
    consumer,
    purpose,
    product: agreement.product,
    channel,
    decisions,
    writtenItems,
    acknowledged: needs,
    givenBy: { as: giver, account: toMark(salt, principal.id), authorisation },
    periodFrom: toDay(terms.periodFrom),
    periodUntil: toDay(terms.periodUntil),
    dataLifeDays: terms.dataLifeDays,
    frequency: terms.frequency,
    grantedAt: new Date(now).toISOString(),
    expiresAt: new Date(terms.expiresAt).toISOString(),
    text: { version: text.version, digest: text.digest, proposed: draft?.textDigest ?? null },
    catalogue: rules.catalogueVersion,
  });
  return {
    ...terms,
    id,
    subject: subject.id,
    consumer,
    purpose,
    product: agreement.product,
    channel,
    draft: draft?.id ?? null,
    items: accepted,
    writtenItems,
    refusedItems: decisions.filter((one) => !one.accepted).map(({ item }) => item),
    givenBy: giver,
    grantedBy: principal.id,
    grantedAt: now,
    text,
    salt,
    signed,
  };
}

export const mayNotGive = (reason: string) =>
  createError('FORBIDDEN', { extensions: { item: 'consent.manage', reason } });

/** Only an agent names one: with the others it would say something that nobody has checked. */
export function toAuthorisation(document: string | null | undefined, isAgent: boolean): string | null {
  const named = document ?? null;
  if (!isAgent && named !== null) throw invalid('authorisation', 'is for an agent to give');
  // A reference is no place for somebody's ID number.
  if (isAgent && (named === null || !DOCUMENT.test(named) || /\d{15}/.test(named)))
    throw invalid('authorisation', 'must name the document by which the agent is authorised');
  return named;
}
