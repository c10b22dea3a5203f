import { isLegacyError } from '../../adapters/adapter.ts';
import { createError } from '../../schema/errors.ts';
import type { Purpose } from '../../schema/purpose.ts';
import type { ResolverContext, Resolvers } from '../define.ts';
import type { Artefacts, Consent } from './artefacts.ts';
import type { GrantConsentInput } from './source.ts';
import { toNewConsent } from './source.ts';
import type { Template } from './templates.ts';

export interface ConsentLoaders {
  readonly artefacts: Artefacts;
  readonly templates: ReadonlyMap<Purpose, Template>;
}
type Context = ResolverContext<ConsentLoaders>;

const MOST_SUBJECTS = 1_000;
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export const resolvers: Resolvers<ConsentLoaders> = {
  Query: {
    consents(_, { subject }: { subject: string }, { loaders, principal, call }) {
      const isSelf = principal.kind === 'subject' && principal.subjects.includes(subject);
      if (!isSelf && principal.kind !== 'bank') throw forbidden('consent.artefact');
      return loaders.artefacts.list(subject, isSelf ? null : principal.id, call).catch(toPublicError);
    },
    activeConsents(
      _,
      asked: { consumer: string; purpose: Purpose; subjects: readonly string[] },
      { loaders, call }: Context,
    ) {
      if (asked.subjects.length > MOST_SUBJECTS)
        throw createError('INVALID_INPUT', { detail: `subjects holds more than ${MOST_SUBJECTS}.` });
      return loaders.artefacts.active(asked, call).catch(toPublicError);
    },
  },
  Mutation: {
    async grantConsent(_, { input }: { input: GrantConsentInput }, { loaders, principal, clock, call }) {
      if (principal.kind !== 'subject' || !principal.subjects.includes(input.subject))
        throw forbidden('consent.manage');
      const consent = toNewConsent(input, principal, loaders.templates, clock.now());
      return loaders.artefacts.grant(consent, call).catch(toPublicError);
    },
    revokeConsent: (_, { id }: { id: string }, context) => move(id, 'REVOKED', context),
    pauseConsent: (_, { id }: { id: string }, context) => move(id, 'PAUSED', context),
    resumeConsent: (_, { id }: { id: string }, context) => move(id, 'ACTIVE', context),
  },
};

/** Another subject's consent, and one that does not exist, are answered alike. */
async function move(
  id: string,
  to: Consent['state'],
  { loaders, principal, call }: Context,
): Promise<Consent> {
  if (principal.kind !== 'subject') throw forbidden('consent.manage');
  const moved = ID.test(id)
    ? await loaders.artefacts.move(id, principal.subjects, to, call).catch(toPublicError)
    : null;
  if (!moved)
    throw createError('INVALID_INPUT', {
      detail: 'id names no consent that could change.',
      extensions: { attribute: 'id' },
    });
  return moved;
}

const forbidden = (item: string) => createError('FORBIDDEN', { extensions: { item, reason: 'SELF' } });

/** A register that cannot be read gives no consent, and does not say that there is none. */
function toPublicError(error: unknown): never {
  throw isLegacyError(error) ? createError('DEPARTMENT_UNAVAILABLE') : error;
}
