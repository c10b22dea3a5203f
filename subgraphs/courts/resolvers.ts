import type DataLoader from 'dataloader';
import type { Resolvers } from '../define.ts';
import type { Answer } from '../loader.ts';
import { toDepartmentFacts } from '../loader.ts';
import type { CourtFacts } from './facts.ts';
import { summarise } from './facts.ts';

export interface CourtsLoaders {
  readonly answers: DataLoader<string, Answer<CourtFacts> | null>;
}

export const resolvers: Resolvers<CourtsLoaders> = {
  CreditSubject: {
    __resolveReference: (reference: unknown) => reference,
    courts: (subject: { readonly id: string }, _, { loaders }) => loaders.answers.load(subject.id),
  },
  CourtRecord: {
    forAssessment: (answer: Answer<CourtFacts>) => toDepartmentFacts('courts', answer, summarise),
  },
};
