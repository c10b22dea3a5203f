import type DataLoader from 'dataloader';
import type { Resolvers } from '../define.ts';
import type { Answer } from '../loader.ts';
import { toDepartmentFacts } from '../loader.ts';
import type { TaxFacts } from './source.ts';

export interface TaxLoaders {
  readonly answers: DataLoader<string, Answer<TaxFacts> | null>;
}

export const resolvers: Resolvers<TaxLoaders> = {
  CreditSubject: {
    __resolveReference: (reference: { id: string }) => reference,
    tax: (subject: { id: string }, _, { loaders }) => loaders.answers.load(subject.id),
  },
  TaxRecord: {
    forAssessment: (answer: Answer<TaxFacts>) => toDepartmentFacts('tax', answer, summarise),
  },
};

/**
 * Facts for finance's rules: `grade` of the latest year (null: not graded), `arrearsTotal` (yuan), `majorViolations` (number
 * within publication). What is under objection is shown with its mark and not held against the subject.
 */
function summarise({ grade, arrears, majorViolations }: TaxFacts) {
  const undisputed = arrears.filter(({ underObjection }) => !underObjection);
  return {
    findings: arrears.length + majorViolations.length,
    facts: {
      grade,
      arrearsTotal: undisputed.reduce((cents, { balance }) => cents + Math.round(balance * 100), 0) / 100,
      majorViolations: majorViolations.filter(({ underObjection }) => !underObjection).length,
    },
  };
}
