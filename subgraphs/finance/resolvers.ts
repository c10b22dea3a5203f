import { createError } from '../../schema/errors.ts';
import type { Purpose } from '../../schema/purpose.ts';
import type { Resolvers } from '../define.ts';
import type { FinanceLoaders } from './checks.ts';

interface CreditCheckArguments {
  readonly input: {
    readonly subject: string;
    readonly product: string | null;
    readonly purpose: Purpose | null;
  };
}

export const resolvers: Resolvers<FinanceLoaders> = {
  Query: {
    creditCheck(_, { input }: CreditCheckArguments, { loaders, principal, subjectIds }) {
      const product = loaders.productOf(input.product ?? '');
      if (input.purpose !== principal.purpose)
        throw createError('INVALID_INPUT', {
          detail: 'input.purpose is not the purpose for which the caller asks.',
        });
      if (!product.purposes.includes(principal.purpose))
        throw createError('INVALID_INPUT', { detail: 'input.product is not offered for this purpose.' });
      return { subject: { id: subjectIds.ofOrganisation(input.subject) }, product: product.id };
    },
    loanProducts: (_, __, { loaders }) => loaders.products,
  },
  CreditSubject: { __resolveReference: (reference: unknown) => reference },
  CreditCheck: {
    __resolveReference: (reference: unknown) => reference,
    sources: (reference: unknown, _, { loaders }) => loaders.check(reference).sources,
    completeness: (reference: unknown, _, { loaders }) => loaders.check(reference).completeness,
    assessment: (reference: unknown, _, { loaders }) => loaders.check(reference).assessment,
  },
};
