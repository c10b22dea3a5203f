/** One request's checks: the identities come with the subjects, sealed, and are opened only to be asked about. */
import type { RequestScope } from '../define.ts';
import type { Answer } from '../loader.ts';
import { createAnswerLoader } from '../loader.ts';
import type { PublicSecurityFacts } from './facts.ts';
import type { PublicSecuritySource } from './source.ts';
import { SYSTEM } from './source.ts';

export interface PublicSecurityLoaders {
  /** `sealedIdentity`: of the legal representative; null when the register of companies does not say who that is. */
  check(subjectId: string, sealedIdentity: string | null): Promise<Answer<PublicSecurityFacts> | null>;
}

export function createPublicSecurityLoaders(
  source: PublicSecuritySource,
  scope: RequestScope,
): PublicSecurityLoaders {
  const sealed = new Map<string, string>();
  const answers = createAnswerLoader(scope, {
    system: SYSTEM,
    // The check is of a company's representative. A person as a subject is nobody's to check here.
    serves: ['ORGANISATION', 'SOLE_TRADER'],
    read: (subjects, context) =>
      source.check(
        subjects.map(({ id }) => identityOf(id)),
        context,
      ),
  });

  function identityOf(subjectId: string) {
    const identity = sealed.get(subjectId);
    return identity === undefined ? null : scope.subjectIds.openIdentity(identity);
  }

  return {
    check(subjectId, sealedIdentity) {
      if (sealedIdentity !== null) sealed.set(subjectId, sealedIdentity);
      return answers.load(subjectId);
    },
  };
}
