import type DataLoader from 'dataloader';
import type { Resolvers } from '../define.ts';
import type { Answer } from '../loader.ts';
import { toDepartmentFacts } from '../loader.ts';
import type { HumanResourcesFacts } from './facts.ts';
import { summarise } from './facts.ts';

export interface HumanResourcesLoaders {
  readonly answers: DataLoader<string, Answer<HumanResourcesFacts> | null>;
}

export const resolvers: Resolvers<HumanResourcesLoaders> = {
  CreditSubject: {
    __resolveReference: (reference: unknown) => reference,
    humanResources: (subject: { readonly id: string }, _, { loaders }) => loaders.answers.load(subject.id),
  },
  HumanResourcesRecord: {
    forAssessment: (answer: Answer<HumanResourcesFacts>) =>
      toDepartmentFacts('human-resources', answer, summarise),
  },
};
