/** Credit checks of one request: the three fields of a check share one computation for each (subject, product). */
import { createError } from '../../schema/errors.ts';
import type { Assessment } from './assess.ts';
import { assess, completenessOf } from './assess.ts';
import type { LoanProduct, Rules } from './rules.ts';
import type { CheckReference, Status } from './source.ts';
import { toCheckReference } from './source.ts';

export interface CreditCheck {
  readonly sources: readonly {
    readonly department: string;
    readonly status: Status;
    readonly asOf: string | null;
    readonly ms: number | null;
    readonly findings: number | null;
  }[];
  readonly completeness: number;
  readonly assessment: Assessment;
}

/** A product as the graph shows it. */
export interface ShownProduct extends LoanProduct {
  readonly nameZh: string;
  readonly nameEn: string;
}

export interface FinanceLoaders {
  readonly products: readonly ShownProduct[];
  /** Throws INVALID_INPUT for a product that is not offered. */
  productOf(id: string): LoanProduct;
  /** Throws SUBJECT_NOT_FOUND when the register says that there is no such subject; a silent register stops nothing. */
  check(representation: unknown): CreditCheck;
}

export function createFinanceLoaders(
  products: ReadonlyMap<string, LoanProduct>,
  rules: Rules,
): FinanceLoaders {
  const made = new Map<string, CreditCheck>();

  function productOf(id: string): LoanProduct {
    const product = products.get(id);
    if (!product) throw createError('INVALID_INPUT', { detail: 'input.product is not one of loanProducts.' });
    return product;
  }

  function compute(reference: CheckReference): CreditCheck {
    if (reference.register === 'NONE_FOUND') throw createError('SUBJECT_NOT_FOUND');
    const product = productOf(reference.product);
    const answers = reference.answersOf(product.departments);
    return {
      sources: answers.map(({ department, status, asOf, elapsedMs, findings }) => ({
        department,
        status,
        asOf,
        ms: elapsedMs === null ? null : Math.round(elapsedMs),
        findings,
      })),
      completeness: completenessOf(answers, product),
      assessment: assess(answers, product, rules),
    };
  }

  return {
    products: [...products.values()].map((product) => ({
      ...product,
      nameZh: product.name.zh,
      nameEn: product.name.en,
    })),
    productOf,
    check(representation) {
      const reference = toCheckReference(representation);
      const key = `${reference.subjectId} ${reference.product}`;
      const check = made.get(key) ?? compute(reference);
      made.set(key, check);
      return check;
    },
  };
}
