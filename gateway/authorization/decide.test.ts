import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import type { CatalogueItem, Rules } from '../../schema/catalogue.ts';
import { readCatalogueFile } from '../../schema/catalogue.ts';
import { CONSENT_GIVERS } from '../../schema/consent.ts';
import { PRINCIPAL_KINDS, PURPOSES } from '../../schema/purpose.ts';
import type { Asker } from './decide.ts';
import { decide, decideField } from './decide.ts';
import type { Decision } from './decision.ts';
import type { SubjectFacts } from './subject-facts.ts';
import { EVERY_ITEM, NO_FACTS, RECORD_STATES, SUBJECT_STATES } from './subject-facts.ts';

const CASES = join(import.meta.dirname, 'cases');
const FILE = join(import.meta.dirname, '../../schema/catalogue.json');
const rules = readCatalogueFile(readFileSync(FILE, 'utf8'), FILE);
const items = [...rules.catalogue.keys()];
/** Of departments, those that catalogues name, and one that none does. */
const DEPARTMENTS = ['courts', 'human-resources', 'market-regulation', 'public-security', 'tax', 'another'];

const OUTCOMES = ['allow', 'consent', 'self', 'break-glass', 'deny'] as const;
const cellSchema = z.union([
  z.enum(['allow', 'deny']),
  z.array(
    z
      .object({
        outcome: z.enum(OUTCOMES),
        mask: z.string().optional(),
        purposes: z.array(z.enum(PURPOSES)).optional(),
        departments: z.array(z.string()).optional(),
      })
      .strict(),
  ),
]);
const matrixSchema = z.record(z.string(), z.partialRecord(z.enum(PRINCIPAL_KINDS), cellSchema));
const matrix = new Map(
  readdirSync(join(CASES, 'items')).flatMap((file) =>
    Object.entries(matrixSchema.parse(parse(readFileSync(join(CASES, 'items', file), 'utf8')))),
  ),
);

const situationSchema = z
  .object({
    name: z.string(),
    asker: z.object({
      kind: z.enum(PRINCIPAL_KINDS),
      purpose: z.enum(PURPOSES),
      department: z.string().optional(),
    }),
    item: z.string(),
    given: z
      .object({
        consent: z.enum(CONSENT_GIVERS).optional(),
        names: z.string().optional(),
        written: z.boolean().default(false),
        self: z.boolean().default(false),
        release: z.boolean().default(false),
        subject: z.enum(SUBJECT_STATES).default('CURRENT'),
        record: z.enum(RECORD_STATES).default('CURRENT'),
        consents: z.literal('unknown').optional(),
        releases: z.literal('unknown').optional(),
      })
      .strict()
      .prefault({}),
    expect: z.string(),
    told: z.string().optional(),
    marked: z.boolean().optional(),
  })
  .strict();
const situations = z
  .array(situationSchema)
  .parse(parse(readFileSync(join(CASES, 'situations.yaml'), 'utf8')));

/** What the decision says, in the words of the cases. */
function toOutcome(decision: Decision): string {
  const mask = 'mask' in decision && decision.mask !== undefined ? ` ~${decision.mask}` : '';
  if (decision.effect !== 'ask') return decision.effect + mask;
  return decision.requires.map((one) => one.toLowerCase().replace('_', '-')).join('+') + mask;
}

function toExpected(cell: z.infer<typeof cellSchema>, { purpose, department }: Asker): string {
  if (!Array.isArray(cell)) return cell;
  const rows = cell.filter(
    ({ purposes, departments }) =>
      (purposes?.includes(purpose) ?? true) && (departments?.includes(department ?? '') ?? true),
  );
  const [row] = rows;
  if (!row) return 'deny';
  return row.mask === undefined ? row.outcome : `${row.outcome} ~${row.mask}`;
}

describe('every item of the catalogue', () => {
  it('has a reviewed case for every kind of principal, and there is no case of anything else', () => {
    const missing = items.flatMap((item) =>
      PRINCIPAL_KINDS.filter((kind) => matrix.get(item)?.[kind] === undefined).map(
        (kind) => `${item} × ${kind}`,
      ),
    );
    expect({ missing, strange: [...matrix.keys()].filter((item) => !items.includes(item)) }).toEqual({
      missing: [],
      strange: [],
    });
  });

  it.each(items)('%s is decided as its cases say, for every purpose and department', (item) => {
    for (const kind of PRINCIPAL_KINDS)
      for (const purpose of PURPOSES)
        for (const department of kind === 'department' ? DEPARTMENTS : [undefined]) {
          const asker = { kind, purpose, ...(department === undefined ? {} : { department }) };
          const said = toOutcome(decide(rules, asker, item, null));
          expect({ asker, said }).toEqual({
            asker,
            said: toExpected(matrix.get(item)?.[kind] ?? 'deny', asker),
          });
        }
  });
});

describe('a situation', () => {
  it.each(situations.map((one) => [one.name, one] as const))('%s', (_, one) => {
    const { given, item } = one;
    const named = new Set([given.names ?? item]);
    const facts: SubjectFacts = {
      isSelf: given.self,
      state: given.subject,
      consents:
        given.consents === 'unknown'
          ? null
          : given.consent === undefined
            ? []
            : [{ id: 'c', items: named, written: given.written ? named : new Set(), givenBy: given.consent }],
      releases: given.releases === 'unknown' ? null : given.release ? [{ id: 'r', items: named }] : [],
    };
    const { department, ...asker } = one.asker;
    const decision = decide(
      rules,
      { ...asker, ...(department === undefined ? {} : { department }) },
      item,
      facts,
      given.record,
    );
    expect({
      said: decision.effect === 'deny' ? decision.reason : decision.effect,
      told: decision.effect === 'deny' ? decision.told : undefined,
      marked: 'mustMark' in decision ? true : undefined,
    }).toEqual({
      said: one.expect,
      told: one.expect === 'allow' ? undefined : (one.told ?? one.expect),
      marked: one.marked,
    });
  });
});

/** That an organisation was struck off is public. */
const PERSON_STATES = SUBJECT_STATES.filter((state) => state !== 'DEREGISTERED');

const anyAsker = fc.record({
  kind: fc.constantFrom(...PRINCIPAL_KINDS),
  purpose: fc.constantFrom(...PURPOSES),
  department: fc.constantFrom(...DEPARTMENTS),
});
const anyItem = fc.constantFrom(...items, 'no.item');
const anyRecord = fc.constantFrom(...RECORD_STATES);
const someItems = fc.uniqueArray(fc.constantFrom(...items, EVERY_ITEM)).map((some) => new Set(some));
const anyFacts: fc.Arbitrary<SubjectFacts> = fc.record({
  isSelf: fc.boolean(),
  state: fc.constantFrom(...SUBJECT_STATES),
  consents: fc.option(
    fc.array(
      fc.record({
        id: fc.uuid(),
        items: someItems,
        written: someItems,
        givenBy: fc.constantFrom(...CONSENT_GIVERS),
      }),
      { maxLength: 3 },
    ),
  ),
  releases: fc.option(fc.array(fc.record({ id: fc.uuid(), items: someItems }), { maxLength: 2 })),
});
/** Sensitivity of decisions to what the law says: the catalogue's items as if they held something else. */
const rulesWith = (change: Partial<CatalogueItem>): Rules => ({
  ...rules,
  catalogue: new Map([...rules.catalogue].map(([id, one]) => [id, { ...one, ...change }])),
});

describe('decide', () => {
  it('is total: with a subject it always ends, with an id, a ground, and a reason', () => {
    fc.assert(
      fc.property(anyAsker, anyItem, anyFacts, anyRecord, (asker, item, facts, record) => {
        const decision = decide(rules, asker, item, facts, record);
        expect(['allow', 'deny']).toContain(decision.effect);
        expect(decision).toMatchObject({ id: expect.stringMatching(/^[\w-]{16}$/), item });
        expect(decision.basis.length > 0 || item === 'no.item').toBe(true);
      }),
    );
  });

  it('never opens with a subject what it denied without one', () => {
    fc.assert(
      fc.property(anyAsker, anyItem, anyFacts, anyRecord, (asker, item, facts, record) => {
        const before = decide(rules, asker, item, null, record);
        const after = decide(rules, asker, item, facts, record);
        expect(before.effect === 'deny' && after.effect !== 'deny').toBe(false);
      }),
    );
  });

  it('opens to nobody of whom nothing is known more than it opens to everybody', () => {
    fc.assert(
      fc.property(anyAsker, anyItem, (asker, item) => {
        const before = decide(rules, asker, item, null);
        const after = decide(rules, asker, item, NO_FACTS);
        expect(after.effect).toBe(before.effect === 'allow' ? 'allow' : 'deny');
      }),
    );
  });

  it('rests on a consent or a release only where that names the item', () => {
    fc.assert(
      fc.property(anyAsker, anyItem, anyFacts, (asker, item, facts) => {
        const decision = decide(rules, asker, item, facts);
        if (decision.effect !== 'allow' || decision.by === undefined) return;
        const grounds = decision.reason === 'CONSENT' ? facts.consents : facts.releases;
        const named = grounds?.find(({ id }) => id === decision.by)?.items;
        expect(named?.has(item) || (decision.reason === 'CONSENT' && named?.has(EVERY_ITEM))).toBe(true);
      }),
    );
  });

  it('lets nothing past the law, whatever is granted, consented to or released', () => {
    const forbidden = Object.entries(rules.law.categories).filter(
      ([, { rule }]) => rule === 'NEVER' || rule === 'SEALED',
    );
    expect(forbidden.map(([name]) => name)).toEqual(
      expect.arrayContaining(['religion', 'genes', 'fingerprints', 'blood-type', 'illness']),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...forbidden.map(([category]) => category)),
        fc.constantFrom('PUBLIC' as const, 'NOT_PUBLIC' as const),
        anyAsker,
        fc.constantFrom(...items),
        anyFacts,
        (category, publicity, asker, item, facts) => {
          const decision = decide(rulesWith({ category, publicity }), asker, item, facts);
          expect(decision.effect).toBe('deny');
        },
      ),
    );
  });

  it('gives what the law ties to written consent to a bank only with one', () => {
    fc.assert(
      fc.property(anyItem, anyFacts, (item, facts) => {
        const asker = { kind: 'bank', purpose: 'LOAN_ORIGINATION' } as const;
        const decision = decide(rulesWith({ category: 'income' }), asker, item, facts);
        if (decision.effect !== 'allow' || decision.reason !== 'CONSENT') return;
        const consent = facts.consents?.find(({ id }) => id === decision.by);
        expect(consent?.written.has(item) || consent?.written.has(EVERY_ITEM)).toBe(true);
      }),
    );
  });

  it('tells two states of a person apart neither by what is told nor by the id', () => {
    fc.assert(
      fc.property(anyItem, anyFacts, fc.constantFrom(...PERSON_STATES), (item, facts, state) => {
        const asker = { kind: 'bank', purpose: 'LOAN_ORIGINATION' } as const;
        const without = decide(rules, asker, item, { ...facts, consents: [] });
        const other = decide(rules, asker, item, { ...facts, state });
        if (other.effect !== 'deny' || without.effect !== 'deny' || other.reason === 'NOT_KNOWN') return;
        expect([other.told, other.id]).toEqual([without.told, without.id]);
      }),
    );
  });

  it('shows what is no longer published to nobody but the auditor and the subject', () => {
    fc.assert(
      fc.property(
        anyAsker,
        anyItem,
        anyFacts,
        fc.constantFrom('EXPIRED' as const, 'REPAIRED' as const),
        (asker, item, facts, record) => {
          const decision = decide(rules, asker, item, facts, record);
          if (decision.effect !== 'allow') return;
          expect(asker.kind === 'auditor' || (asker.kind === 'subject' && facts.isSelf)).toBe(true);
        },
      ),
    );
  });

  it('asks the police catalogue for nothing but the verdict', () => {
    const verdict = rules.catalogue.get('public-security.real-name-check');
    expect(verdict?.category).toBe('real-name-verdict');
    const other = rulesWith({ category: 'registration', publicity: 'PUBLIC' });
    expect(
      decide(other, { kind: 'bank', purpose: 'LOAN_ORIGINATION' }, verdict?.id ?? '', NO_FACTS),
    ).toMatchObject({
      effect: 'deny',
      reason: 'LAW_FORBIDS',
    });
  });
});

describe('the items of one field', () => {
  const ground = { id: 'i', item: 'x', basis: [] };
  const allow: Decision = { ...ground, effect: 'allow', reason: 'GRANTED' };
  const deny: Decision = { ...ground, effect: 'deny', reason: 'NOT_GRANTED', told: 'NOT_GRANTED' };
  const ask: Decision = { ...ground, effect: 'ask', reason: 'NEEDS_SUBJECT', requires: ['CONSENT'] };

  it('must all be allowed', () => {
    expect(decideField([allow, deny, ask])?.effect).toBe('deny');
    expect(decideField([allow, ask])?.effect).toBe('ask');
    expect(decideField([allow, { ...allow, mask: 'name' }])).toMatchObject({ effect: 'allow', mask: 'name' });
    expect(decideField([])).toBeNull();
  });
});
