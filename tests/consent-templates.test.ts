/** What drafts ask for and what assessments use are kept by two departments that do not import each other: compared here. */
import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { readCatalogueFile } from '../schema/catalogue.ts';
import type { Purpose } from '../schema/purpose.ts';
import { createFactsOf } from '../subgraphs/consent/items.ts';
import { loadTemplates } from '../subgraphs/consent/templates.ts';

const read = (file: string) => readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');
const { products } = parse(read('subgraphs/finance/products.yaml')) as {
  products: readonly {
    readonly id: string;
    readonly items: readonly string[];
    readonly purposes: readonly Purpose[];
  }[];
};
const templates = loadTemplates();
const factsOf = createFactsOf(readCatalogueFile(read('schema/catalogue.json'), 'schema/catalogue.json'));

describe('the templates of drafts', () => {
  it('are those of the loan products, each with exactly the items that the product needs', () => {
    const ours = [...templates.products.values()].map(({ id, items }) => [id, items]);
    expect(ours).toEqual(products.map(({ id, items }) => [id, items]));
    for (const { id, purposes } of products) expect(purposes).toContain(templates.products.get(id)?.purpose);
  });

  it('name only items that somebody can consent to for the purpose', () => {
    const unknown = [...templates.products.values()].flatMap(({ id, purpose, items, mayAsk }) =>
      [...items, ...mayAsk]
        .filter((item) => !factsOf(item, { purpose, subject: 'organisation', isUnder14: false }))
        .map((item) => `${id}: ${item}`),
    );
    expect(unknown).toEqual([]);
  });

  it('keep amounts of tax for a consent in writing', () => {
    const about = { purpose: 'LOAN_ORIGINATION', subject: 'organisation', isUnder14: false } as const;
    expect([factsOf('tax.amount', about)?.isWritten, factsOf('tax.grade', about)?.isWritten]).toEqual([
      true,
      false,
    ]);
    expect(factsOf('subjects.identity', about)).toBeNull();
  });
});
