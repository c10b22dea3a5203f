import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { citizenIdCheckDigit } from '../../schema/identifiers/index.ts';
import type { Principal } from '../../schema/principal.ts';
import { subjectIds } from '../../tests/kit/consent.ts';
import { findGiver, toConsentingSubject } from './givers.ts';

const HOUR = 3_600_000;
/** A synthetic person of the region 129999, which does not exist, born on YYYYMMDD. */
function personBorn(date: string): string {
  const first = `129999${date}001`;
  return subjectIds.ofPerson(`${first}${citizenIdCheckDigit(first)}`);
}
/** Midnight in China at the beginning of a date. */
const midnight = (date: string) => Date.parse(`${date}T00:00:00+08:00`);

describe('the age of a person who consents', () => {
  it.each([
    ['20120501', '2026-04-30', true, '2030-05-01'],
    ['20120501', '2026-05-01', false, '2030-05-01'],
    ['20080501', '2026-04-30', false, '2026-05-01'],
    ['20080501', '2026-05-01', false, null],
    // There is no 29 February in 2026.
    ['20080229', '2026-02-28', false, '2026-03-01'],
    ['20080229', '2026-03-01', false, null],
  ])('born on %s, on %s: under fourteen %s, of age on %s', (born, today, isUnder14, comesOfAge) => {
    const id = personBorn(born);
    for (const now of [midnight(today), midnight(today) + 24 * HOUR - 1])
      expect(toConsentingSubject(subjectIds, id, now)).toEqual({
        id,
        kind: 'NATURAL_PERSON',
        classOf: 'person',
        isUnder14,
        comesOfAge,
      });
  });

  it('is none of an organisation; a sole trader is treated as a person', () => {
    const now = midnight('2026-05-01');
    const company = toConsentingSubject(subjectIds, 'O-91120101MA9TYN016Y', now);
    const trader = toConsentingSubject(subjectIds, 'O-92120101MA9TYN016Y', now);
    expect([company?.classOf, trader?.classOf]).toEqual(['organisation', 'person']);
    for (const id of ['O-x', 'P1-AAAA', '', '*']) expect(toConsentingSubject(subjectIds, id, now)).toBeNull();
  });
});

describe('who may give', () => {
  const principals = fc.record({
    kind: fc.constantFrom<Principal['kind']>('subject', 'bank', 'operator', 'department', 'public'),
    isOwn: fc.boolean(),
    as: fc.constantFrom('GUARDIAN', 'AGENT', null),
  });
  const subjects = fc.constantFrom(
    { id: 'O-91120101MA9TYN016Y', isMinor: false, isCompany: true },
    { id: personBorn('19000101'), isMinor: false, isCompany: false },
    { id: personBorn('20200101'), isMinor: true, isCompany: false },
  );

  it('is never anybody but the subject, a minor’s guardian, or a company’s agent', () => {
    fc.assert(
      fc.property(principals, subjects, ({ kind, isOwn, as }, { id, isMinor, isCompany }) => {
        const subject = toConsentingSubject(subjectIds, id, midnight('2026-05-01'));
        if (!subject) throw new Error('a subject of this test');
        const principal: Principal = {
          kind,
          id: 'somebody',
          purpose: 'SELF_ACCESS',
          subjects: isOwn ? [id] : ['O-91120116MA9TYN024H'],
          ...(as === null ? {} : { actsFor: [{ subject: id, as }] }),
        };
        const found = findGiver(principal, subject);
        const may =
          kind === 'subject' &&
          isOwn &&
          ((as === null && !isMinor) || (as === 'GUARDIAN' && isMinor) || (as === 'AGENT' && isCompany));
        expect('giver' in found).toBe(may);
        if ('giver' in found) expect(found.giver).toBe(as ?? 'SELF');
      }),
    );
  });
});
