import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { citizenIdCheckDigit } from './identifiers/citizen-id.ts';
import { sandboxBytes } from './keys.ts';
import { createSubjectIds } from './subject-id.ts';

const first = new Map([[1, sandboxBytes('subject', 64)]]);
const ids = createSubjectIds(first);
const CITIZEN = '120101190001010016';

describe('SubjectId', () => {
  it('holds the code of an organisation, and tells a sole trader by it', () => {
    expect(ids.open(ids.ofOrganisation('91120101MA9TYN016Y'))).toMatchObject({
      kind: 'ORGANISATION',
      code: '91120101MA9TYN016Y',
    });
    expect(ids.open(ids.ofOrganisation('92120104MA9TYN032W'))).toMatchObject({ kind: 'SOLE_TRADER' });
  });

  it('hides the ID number of a person, equal persons having equal ids', () => {
    const id = ids.ofPerson(CITIZEN);
    expect(id).toBe(ids.ofPerson(CITIZEN));
    expect(id).not.toContain('1201011900');
    expect(Buffer.from(id.slice(3), 'base64url').toString('latin1')).not.toContain('1201011900');
    expect(ids.open(id)).toMatchObject({ kind: 'NATURAL_PERSON', citizenId: CITIZEN });
  });

  it('opens what an older key sealed, and nothing of another platform’s', () => {
    const both = createSubjectIds(new Map([...first, [2, sandboxBytes('newer', 64)]]));
    expect(both.open(ids.ofPerson(CITIZEN))).toMatchObject({ citizenId: CITIZEN });
    expect(both.ofPerson(CITIZEN)).not.toBe(ids.ofPerson(CITIZEN));
    expect(ids.open(both.ofPerson(CITIZEN))).toBeNull();
  });

  it.each(['', 'O-', 'O-1234', 'P1-', 'P1-AAAA', 'P9-AAAA', 'x'])('takes %p for no id', (text) => {
    expect(ids.open(text)).toBeNull();
  });

  it('never lets an id pass for a sealed identity, or the reverse', () => {
    const sealed = ids.sealIdentity({ name: '张测试', citizenId: CITIZEN });
    expect(ids.openIdentity(sealed)).toEqual({ name: '张测试', citizenId: CITIZEN });
    expect(ids.open(sealed)).toBeNull();
    expect(ids.openIdentity(ids.ofPerson(CITIZEN))).toBeNull();
  });
});

describe('the ids of one consumer', () => {
  /** Nobody's numbers: region 129999 does not exist. */
  const citizen = fc.integer({ min: 0, max: 999 }).map((order) => {
    const first17 = `12999919000101${String(order).padStart(3, '0')}`;
    return first17 + citizenIdCheckDigit(first17);
  });
  const consumer = fc.oneof(
    fc.constantFrom('bank bank-a', 'bank bank-b', 'partner bank-a', 'public anonymous'),
    fc
      .tuple(fc.constantFrom('bank', 'subject', 'partner'), fc.string({ maxLength: 20 }))
      .map((parts) => parts.join(' ')),
  );

  it('lead back to the platform’s, for that consumer alone', () => {
    fc.assert(
      fc.property(citizen, consumer, consumer, (number, one, other) => {
        fc.pre(one !== other);
        const id = ids.ofPerson(number);
        const seen = ids.forConsumer(one).toEdge(id) ?? '';
        expect(ids.forConsumer(one).toPlatform(seen)).toBe(id);
        expect(ids.forConsumer(other).toPlatform(seen)).toBeNull();
        expect(ids.forConsumer(other).toEdge(id)).not.toBe(seen);
      }),
    );
  });

  it('share nothing that tells two consumers that they mean one person', () => {
    fc.assert(
      fc.property(citizen, consumer, consumer, (number, one, other) => {
        fc.pre(one !== other);
        const bytes = [one, other].map((name) => {
          const seen = ids.forConsumer(name).toEdge(ids.ofPerson(number)) ?? '';
          return Buffer.from(seen.slice(3), 'base64url').toString('hex');
        });
        // Four equal bytes at any place would be a trace to join by; by chance they come once in 10^6 pairs.
        const parts = new Set(bytes[0]?.match(/.{8}/g));
        expect(bytes[1]?.match(/.{8}/g)?.filter((part) => parts.has(part))).toEqual([]);
      }),
    );
  });

  it('that were changed anywhere are nobody’s, and so are the platform’s own', () => {
    const bank = ids.forConsumer('bank bank-a');
    const seen = bank.toEdge(ids.ofPerson(CITIZEN)) ?? '';
    fc.assert(
      fc.property(fc.nat(seen.length - 1), fc.constantFrom(...'ABCz09_-=.P'), (at, letter) => {
        fc.pre(seen[at] !== letter);
        expect(bank.toPlatform(seen.slice(0, at) + letter + seen.slice(at + 1))).toBeNull();
      }),
      { numRuns: 1_000 },
    );
    fc.assert(fc.property(fc.string(), (text) => expect(bank.toPlatform(text)).toBeNull()));
    expect([bank.toPlatform(ids.ofPerson(CITIZEN)), bank.toEdge(seen)]).toEqual([null, null]);
  });

  it('are the public ones of organisations', () => {
    const id = ids.ofOrganisation('91120101MA9TYN016Y');
    expect([ids.forConsumer('bank x').toEdge(id), ids.forConsumer('bank x').toPlatform(id)]).toEqual([
      id,
      id,
    ]);
  });

  it('hide what is no id of the platform’s: a number or a sealed identity that a department put in its place', () => {
    const bank = ids.forConsumer('bank bank-a');
    const sealed = ids.sealIdentity({ name: '张测试', citizenId: CITIZEN });
    expect([CITIZEN, sealed, 'P1-AAAA', ''].map((text) => bank.toEdge(text))).toEqual([
      null,
      null,
      null,
      null,
    ]);
  });

  it('are still opened after the platform’s key was changed and the old one kept', () => {
    const both = createSubjectIds(new Map([...first, [2, sandboxBytes('newer', 64)]]));
    const seen = ids.forConsumer('bank bank-a').toEdge(ids.ofPerson(CITIZEN)) ?? '';
    expect(both.forConsumer('bank bank-a').toPlatform(seen)).toBe(ids.ofPerson(CITIZEN));
  });
});
