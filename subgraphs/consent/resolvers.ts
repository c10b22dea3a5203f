import { isLegacyError } from '../../adapters/adapter.ts';
import { CONFIRMATION_HOLDS_MS } from '../../schema/consent.ts';
import { createError } from '../../schema/errors.ts';
import type { Principal } from '../../schema/principal.ts';
import type { Purpose } from '../../schema/purpose.ts';
import type { ResolverContext, Resolvers } from '../define.ts';
import type { AgreementTools } from './agreement.ts';
import { mayNotGive } from './agreement.ts';
import type { Artefacts, Consent, Reader } from './artefacts.ts';
import { CONSEQUENCES } from './authorisation-text.ts';
import type { Confirmations } from './confirmation.ts';
import type { DecideConsentInput, GrantConsentInput } from './decisions.ts';
import { toDecision, toGrant } from './decisions.ts';
import type { Draft, Drafts } from './drafts.ts';
import { findGiver } from './givers.ts';
import type { Notices } from './notices.ts';
import { isNoticeCursor } from './notices.ts';
import { toDay } from './register.ts';
import type { PrepareConsentInput } from './source.ts';
import { invalid, toProposal, toSubject } from './source.ts';

export interface ConsentLoaders extends AgreementTools {
  readonly artefacts: Artefacts;
  readonly confirmations: Confirmations;
  readonly drafts: Drafts;
  readonly notices: Notices;
}
type Context = ResolverContext<ConsentLoaders>;

const MOST_SUBJECTS = 1_000;
const MOST_PAGE = 200;
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const REQUEST = /^[\x21-\x7e]{1,256}$/;
/** A timer may ring a little early; an acknowledgement must not. */
const TIMER_SLACK_MS = 10;

export const resolvers: Resolvers<ConsentLoaders> = {
  Query: {
    consents(
      _,
      { subject, first, after = null }: { subject: string; first: number; after?: string | null },
      { loaders, principal, call }: Context,
    ) {
      const reader = toReader(principal);
      if ('subjects' in reader && !reader.subjects.includes(subject)) throw notOwn();
      assertPage(first);
      if (after !== null && !ID.test(after)) throw invalidArgument('after');
      const consumer = 'consumer' in reader ? reader.consumer : null;
      return loaders.artefacts.list(subject, consumer, { first, after }, call).catch(toPublicError);
    },
    consent: (_, { id }: { id: string }, { loaders, principal, call }: Context) =>
      findById(id, (known) => loaders.artefacts.find(known, toReader(principal), call)),
    async consentDraft(_, { id }: { id: string }, { loaders, principal, call, clock }: Context) {
      const draft = await findById(id, (known) => loaders.drafts.find(known, toReader(principal), call));
      return draft && toPreview(draft, principal, loaders, clock.now());
    },
    consentNotices(
      _,
      { after = null, first }: { after?: string | null; first: number },
      { loaders, principal, call }: Context,
    ) {
      assertPage(first);
      if (after !== null && !isNoticeCursor(after)) throw invalidArgument('after');
      return loaders.notices.after(after, toReader(principal), first, call).catch(toPublicError);
    },
    activeConsents(
      _,
      asked: {
        consumer: string;
        purpose: Purpose;
        subjects: readonly string[];
        request?: string | null;
      },
      { loaders, call }: Context,
    ) {
      assertAtMost('subjects', asked.subjects);
      return loaders.confirmations
        .active({ ...asked, request: asked.request ?? null }, call)
        .catch(toPublicError);
    },
  },
  Mutation: {
    async prepareConsent(
      _,
      { input }: { input: PrepareConsentInput },
      { loaders, principal, clock, call, subjectIds }: Context,
    ) {
      const proposal = toProposal(input, principal, loaders.rules, subjectIds, clock.now());
      const draft = await loaders.drafts.prepare(loaders.newId(), proposal, call).catch(toPublicError);
      if (!draft) throw invalid('subject', 'has many open drafts of this consumer to decide');
      return toPreview(draft, principal, loaders, clock.now());
    },
    async decideConsent(
      _,
      { input }: { input: DecideConsentInput },
      { loaders, principal, clock, call }: Context,
    ) {
      const draft = await findById(input.draft, (known) =>
        loaders.drafts.find(known, { subjects: principal.subjects }, call),
      );
      if (draft?.state !== 'OPEN') throw undecidable();
      const consent = toDecision(input, draft, principal, loaders, clock.now());
      if (consent === null) {
        if (!(await loaders.drafts.refuse(draft, call).catch(toPublicError))) throw undecidable();
        return { draft: draft.id, outcome: 'REFUSED', consent: null };
      }
      const granted = await loaders.artefacts.grant(consent, call).catch(toPublicError);
      if (!granted) throw undecidable();
      return { draft: draft.id, outcome: 'GRANTED', consent: granted };
    },
    grantConsent(_, { input }: { input: GrantConsentInput }, { loaders, principal, clock, call }: Context) {
      const consent = toGrant(input, principal, loaders, clock.now());
      return loaders.artefacts.grant(consent, call).catch(toPublicError);
    },
    revokeConsent: (_, { id }: { id: string }, context) => withdraw(id, 'REVOKED', context),
    pauseConsent: (_, { id }: { id: string }, context) => withdraw(id, 'PAUSED', context),
    async resumeConsent(_, { id }: { id: string }, { loaders, principal, clock, call }: Context) {
      // To resume is to consent again: whoever may not give this consent today may not.
      const reader = { subjects: principal.subjects };
      const consent = await findById(id, (known) => loaders.artefacts.find(known, reader, call));
      if (!consent) throw unchangeable();
      const subject = toSubject(loaders.subjectIds, consent.subject, clock.now());
      const found = findGiver(principal, subject);
      if ('refusal' in found) throw mayNotGive(found.refusal);
      const resumed = await loaders.artefacts
        .move(id, principal.subjects, 'ACTIVE', call)
        .catch(toPublicError);
      if (!resumed) throw unchangeable();
      return resumed;
    },
    async confirmConsents(
      _,
      asked: { ids: readonly string[]; consumer: string; request: string; digest: string },
      { loaders, call }: Context,
    ) {
      assertAtMost('ids', asked.ids);
      for (const name of ['request', 'digest'] as const)
        if (!REQUEST.test(asked[name])) throw invalidArgument(name);
      const confirmation = await loaders.confirmations.confirm(asked, call).catch(toPublicError);
      if (!confirmation) throw createError('IDEMPOTENCY_CONFLICT');
      return confirmation;
    },
  },
};

/**
 * Pauses or revokes. The answer waits until no confirmation that was given before the commit is relied on any more: what was
 * acknowledged has taken effect, in requests that were in flight as well (see schema/consent.ts).
 * Another subject's consent, and one that does not exist, are answered alike.
 */
async function withdraw(
  id: string,
  to: 'PAUSED' | 'REVOKED',
  { loaders, principal, call, clock }: Context,
): Promise<Consent> {
  if (principal.kind !== 'subject') throw notOwn('consent.manage');
  const moved = await findById(id, (known) => loaders.artefacts.move(known, principal.subjects, to, call));
  if (!moved) throw unchangeable();
  await clock.sleep(CONFIRMATION_HOLDS_MS + TIMER_SLACK_MS);
  return moved;
}

/** What a draft looks like to whoever may see it; only to the subject it says what depends on the subject's age. */
function toPreview(draft: Draft, principal: Principal, { rules, subjectIds }: ConsentLoaders, now: number) {
  const subject = toSubject(subjectIds, draft.subject, now);
  const isUnder14 = principal.kind === 'subject' && subject.isUnder14;
  const about = { purpose: draft.purpose, subject: subject.classOf, isUnder14 };
  const { expiresAt, periodFrom, periodUntil, dataLifeDays, frequency } = draft.terms;
  return {
    ...draft,
    items: draft.items.flatMap((item) => rules.factsOf(item, about) ?? []),
    consequencesZh: CONSEQUENCES.zh,
    consequencesEn: CONSEQUENCES.en,
    expiresAt: new Date(expiresAt).toISOString(),
    periodFrom: toDay(periodFrom),
    periodUntil: toDay(periodUntil),
    dataLifeDays,
    frequency,
  };
}

function toReader({ kind, id, subjects }: Principal): Reader {
  if (kind === 'subject') return { subjects };
  if (kind === 'bank') return { consumer: id };
  if (kind === 'auditor') return { isAuditor: true };
  throw notOwn();
}

/** Null for an id that is none: it is answered as one that nobody has. */
async function findById<T>(id: string, find: (id: string) => Promise<T | null>): Promise<T | null> {
  return ID.test(id) ? find(id).catch(toPublicError) : null;
}

function assertPage(first: number): void {
  if (!(first >= 1 && first <= MOST_PAGE)) throw invalidArgument('first', `must be 1 to ${MOST_PAGE}`);
}

function assertAtMost(name: string, list: readonly string[]): void {
  if (list.length > MOST_SUBJECTS) throw invalidArgument(name, `holds more than ${MOST_SUBJECTS}`);
}

const invalidArgument = (attribute: string, rule = 'is not well formed') =>
  createError('INVALID_INPUT', { detail: `${attribute} ${rule}.`, extensions: { attribute } });
const unchangeable = () => invalidArgument('id', 'names no consent that could change');
const undecidable = () => invalid('draft', 'names no draft that could be decided');
const notOwn = (item = 'consent.artefact') =>
  createError('FORBIDDEN', { extensions: { item, reason: 'SELF' } });

/** A register that cannot be read gives no consent, and does not say that there is none. */
function toPublicError(error: unknown): never {
  throw isLegacyError(error) ? createError('DEPARTMENT_UNAVAILABLE') : error;
}
