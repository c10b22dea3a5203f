/** What a subject sends, deciding a draft or consenting unasked → the consent that is to be kept; null for a refusal. */
import type { ConsentChannel } from '../../schema/consent.ts';
import type { Principal } from '../../schema/principal.ts';
import type { Purpose } from '../../schema/purpose.ts';
import type { Acknowledgements, AgreementTools } from './agreement.ts';
import { mayNotGive, toAuthorisation, toNewConsent } from './agreement.ts';
import type { NewConsent } from './artefacts.ts';
import type { Draft } from './drafts.ts';
import { findGiver } from './givers.ts';
import type { TermsInput } from './source.ts';
import { assertConsumer, invalid, toNarrowerTerms, toSubject } from './source.ts';
import type { Frequency } from './templates.ts';

/** DecideConsentInput, its scalars already parsed. */
export interface DecideConsentInput extends Acknowledgements {
  readonly draft: string;
  readonly items: readonly { readonly item: string; readonly accept: boolean }[];
  readonly terms?: TermsInput | null;
}

/** GrantConsentInput, its scalars already parsed. */
export interface GrantConsentInput extends Acknowledgements {
  readonly subject: string;
  readonly consumer: string;
  readonly purpose: Purpose;
  readonly channel?: ConsentChannel | null;
  readonly items: readonly string[];
  readonly expiresAt: string;
  readonly periodFrom: string;
  readonly periodUntil: string;
  readonly dataLifeDays: number;
  readonly frequency: Frequency;
}

/** Every item of the draft is decided, once. Throws FORBIDDEN or INVALID_INPUT, as toNewConsent does. */
export function toDecision(
  input: DecideConsentInput,
  draft: Draft,
  principal: Principal,
  tools: AgreementTools,
  now: number,
): NewConsent | null {
  const decided = new Map(input.items.map(({ item, accept }) => [item, accept]));
  if (
    decided.size !== input.items.length ||
    decided.size !== draft.items.length ||
    !draft.items.every((item) => decided.has(item))
  )
    throw invalid('items', 'must decide every item of the draft, once');
  if (![...decided.values()].includes(true)) {
    // A refusal needs no tick, but it is as binding: only who could consent may refuse.
    const found = findGiver(principal, toSubject(tools.subjectIds, draft.subject, now));
    if ('refusal' in found) throw mayNotGive(found.refusal);
    toAuthorisation(input.authorisation, found.giver === 'AGENT');
    return null;
  }
  return toNewConsent(
    {
      subject: draft.subject,
      consumer: draft.consumer,
      purpose: draft.purpose,
      product: draft.product,
      channel: draft.channel,
      decisions: draft.items.map((item) => ({ item, accepted: decided.get(item) === true })),
      terms: toNarrowerTerms(input.terms ?? {}, draft.terms, now),
      draft: { id: draft.id, textDigest: draft.text.digest },
      ...toAcknowledgements(input),
    },
    principal,
    tools,
    now,
  );
}

/** A consent that nobody had proposed, within the template of its purpose. */
export function toGrant(
  input: GrantConsentInput,
  principal: Principal,
  tools: AgreementTools,
  now: number,
): NewConsent {
  assertConsumer(input.consumer);
  return toNewConsent(
    {
      subject: input.subject,
      consumer: input.consumer,
      purpose: input.purpose,
      product: null,
      channel: input.channel ?? null,
      decisions: [...new Set(input.items)].map((item) => ({ item, accepted: true })),
      terms: {
        purpose: input.purpose,
        expiresAt: Date.parse(input.expiresAt),
        periodFrom: Date.parse(input.periodFrom),
        periodUntil: Date.parse(input.periodUntil),
        dataLifeDays: input.dataLifeDays,
        frequency: { times: input.frequency.times, per: input.frequency.per },
      },
      draft: null,
      ...toAcknowledgements(input),
    },
    principal,
    tools,
    now,
  );
}

const toAcknowledgements = (input: Acknowledgements): Acknowledgements => ({
  acknowledgesPersonal: input.acknowledgesPersonal ?? false,
  acknowledgesSensitive: input.acknowledgesSensitive ?? false,
  acknowledgesWritten: input.acknowledgesWritten ?? false,
  authorisation: input.authorisation ?? null,
});
