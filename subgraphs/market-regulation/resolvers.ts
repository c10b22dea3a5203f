import type DataLoader from 'dataloader';
import type { Resolvers } from '../define.ts';
import type { Answer } from '../loader.ts';
import { toDepartmentFacts } from '../loader.ts';
import type { MarketRegulationFacts } from './facts.ts';
import { summarise } from './facts.ts';
import { dayInChina } from '../../schema/china-time.ts';

export interface MarketRegulationLoaders {
  readonly answers: DataLoader<string, Answer<MarketRegulationFacts> | null>;
}

export const resolvers: Resolvers<MarketRegulationLoaders> = {
  CreditSubject: {
    __resolveReference: (reference: unknown) => reference,
    marketRegulation: (subject: { readonly id: string }, _, { loaders }) => loaders.answers.load(subject.id),
  },
  MarketRegulationRecord: {
    forAssessment: (answer: Answer<MarketRegulationFacts>, _, { clock }) =>
      toDepartmentFacts('market-regulation', answer, (facts) => summarise(facts, dayInChina(clock.now()))),
  },
};
