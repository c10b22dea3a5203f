import type { Resolvers } from '../define.ts';
import type { Answer } from '../loader.ts';
import { toDepartmentFacts } from '../loader.ts';
import type { PublicSecurityFacts } from './facts.ts';
import { summarise } from './facts.ts';
import type { PublicSecurityLoaders } from './loaders.ts';

/** A subject as the gateway hands it over: what `@requires` names stands in it, sealed. */
interface Representation {
  readonly id: string;
  readonly legalRepresentativeIdentity?: string | null;
}

export const resolvers: Resolvers<PublicSecurityLoaders> = {
  CreditSubject: {
    __resolveReference: (reference: Representation) => reference,
    publicSecurity: (subject: Representation, _, { loaders }) =>
      loaders.check(subject.id, subject.legalRepresentativeIdentity ?? null),
  },
  PublicSecurityRecord: {
    forAssessment: (answer: Answer<PublicSecurityFacts>) =>
      toDepartmentFacts('public-security', answer, summarise),
  },
};
