import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { readCatalogueFile } from '../../schema/catalogue.ts';
import { PRINCIPAL_KINDS, PURPOSES } from '../../schema/purpose.ts';
import type { Decision } from './decide.ts';
import { decide, decideField, decideWithSubject } from './decide.ts';

const CASES = join(import.meta.dirname, 'cases');
const FILE = join(import.meta.dirname, '../../schema/catalogue.json');
const { catalogue } = readCatalogueFile(readFileSync(FILE, 'utf8'), FILE);

const caseSchema = z.object({
  name: z.string(),
  principal: z.object({
    kind: z.enum(PRINCIPAL_KINDS),
    purpose: z.enum(PURPOSES),
    department: z.string().optional(),
  }),
  item: z.string(),
  expect: z.enum(['allow', 'consent', 'self', 'deny']),
  mask: z.string().optional(),
});
const cases = readdirSync(CASES).flatMap((file) =>
  z.array(caseSchema).parse(parse(readFileSync(join(CASES, file), 'utf8'))),
);
const principalOf = ({ principal }: (typeof cases)[number]) => {
  const { department, ...rest } = principal;
  return { ...rest, id: 'somebody', subjects: [], ...(department === undefined ? {} : { department }) };
};

describe('decide', () => {
  it.each(cases.map((one) => [one.name, one] as const))('%s', (_, one) => {
    const decision = decide(catalogue, principalOf(one), one.item);
    const said = decision.effect === 'ask' ? decision.requires[0]?.toLowerCase() : decision.effect;
    expect({ said, mask: 'mask' in decision ? decision.mask : undefined }).toEqual({
      said: one.expect,
      mask: one.mask,
    });
  });

  const anyPrincipal = fc.record({
    kind: fc.constantFrom(...PRINCIPAL_KINDS),
    purpose: fc.constantFrom(...PURPOSES),
    id: fc.constant('x'),
    subjects: fc.constant([]),
  });
  const anyItem = fc.constantFrom(...catalogue.keys(), 'no.item');

  it('is total, and without consent or self never opens what asks for them', () => {
    fc.assert(
      fc.property(anyPrincipal, anyItem, (principal, item) => {
        const decision = decide(catalogue, principal, item);
        const final = decideWithSubject(decision, { item, isSelf: false, consented: new Set() });
        expect(final.effect).toBe(decision.effect === 'allow' ? 'allow' : 'deny');
      }),
    );
  });

  /** Every principal and item for which a consent decides. */
  const asking = PRINCIPAL_KINDS.flatMap((kind) =>
    PURPOSES.flatMap((purpose) =>
      [...catalogue.keys()].flatMap((item) => {
        const decision = decide(catalogue, { kind, purpose, id: 'x', subjects: [] }, item);
        return decision.effect === 'ask' && decision.requires.includes('CONSENT') ? [{ item, decision }] : [];
      }),
    ),
  );

  it('takes a consent for the items that it names, and for no others', () => {
    expect(asking.length).toBeGreaterThan(0);
    fc.assert(
      fc.property(fc.constantFrom(...asking), anyItem, ({ item, decision }, other) => {
        const withConsent = (named: string) =>
          decideWithSubject(decision, { item, isSelf: false, consented: new Set([named]) }).effect;
        expect([withConsent(item), withConsent(other)]).toEqual(['allow', item === other ? 'allow' : 'deny']);
      }),
    );
  });

  it('needs every item of a field', () => {
    const allow: Decision = { effect: 'allow' };
    const deny: Decision = { effect: 'deny', reason: 'NOT_GRANTED' };
    const ask: Decision = { effect: 'ask', requires: ['CONSENT'] };
    expect(decideField([allow, deny, ask]).effect).toBe('deny');
    expect(decideField([allow, ask]).effect).toBe('ask');
    expect(decideField([allow, { ...allow, mask: 'name' }])).toEqual({ effect: 'allow', mask: 'name' });
  });
});
