import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { PRINCIPAL_KINDS, PURPOSES } from '../../schema/purpose.ts';
import { toEntry } from './entries.ts';
import { loadNames } from './names.ts';
import type { LoggedRecord } from './source.ts';
import { loadVisibility, parseVisibility, VisibilityError } from './visibility.ts';

const visibility = loadVisibility();
const names = loadNames();

interface Draft {
  classes: Record<string, unknown>;
  unnamed: unknown[];
  purposes: { purpose: string; shownAs: string; who: string; basis?: string[]; delay?: object }[];
}
const draft = (change: (file: Draft) => void): Draft => {
  const file = parse(readFileSync(new URL('./visibility.yaml', import.meta.url), 'utf8')) as Draft;
  change(file);
  return file;
};
const of = (file: Draft, purpose: string) => file.purposes.find((one) => one.purpose === purpose)!;

const logged = (change: Partial<LoggedRecord['record']> = {}): LoggedRecord => ({
  seq: '7',
  at: '2026-11-24T02:00:00.000Z',
  hash: '',
  extendedUntil: null,
  record: {
    id: 'r-1',
    at: '2026-11-24T02:00:00.000Z',
    principal: { kind: 'bank', id: 'bank-a' },
    purpose: 'LOAN_ORIGINATION',
    operation: 'o',
    result: 'DISCLOSED',
    subjects: ['O-1'],
    consents: ['c-1'],
    items: ['tax.grade'],
    decisions: ['d-1'],
    denials: [],
    sources: [],
    breakGlass: [],
    supersedes: null,
    catalogue: '1',
    answerHash: 'x',
    ...change,
  },
});

describe('visibility.yaml', () => {
  it('speaks of every purpose, and delays investigations, emergencies and their audit', () => {
    expect(PURPOSES.map((purpose) => visibility.ruleOf(purpose).purpose)).toEqual(PURPOSES);
    expect(visibility.delays.map(({ purpose }) => purpose)).toEqual(['INVESTIGATION', 'EMERGENCY', 'AUDIT']);
  });

  it.each<[string, (file: Draft) => void, RegExp]>([
    ['forgets a purpose', (file) => file.purposes.pop(), /AUDIT: is missing/],
    ['says one twice', (file) => file.purposes.push(of(file, 'AUDIT')), /AUDIT: stands twice/],
    [
      'names a class that is not there',
      (file) => (of(file, 'AUDIT').shownAs = 'OTHER'),
      /no class is called OTHER/,
    ],
    ['withholds without a basis', (file) => delete of(file, 'EMERGENCY').basis, /EMERGENCY: .*needs a basis/],
    [
      'delays for longer than the cap',
      (file) => (of(file, 'EMERGENCY').delay = { for: 'P31D', most: 'P30D', until: { zh: '甲', en: 'a' } }),
      /longer than the most/,
    ],
    [
      'has a class for what is delayed alone',
      (file) => (of(file, 'OFFICIAL_DUTY').shownAs = 'PURPOSE'),
      /OFFICIAL covers only what is delayed/,
    ],
    [
      'shows an audit before what it audits',
      (file) => delete of(file, 'AUDIT').delay,
      /AUDIT: is shown before/,
    ],
    ['has an unknown key', (file) => Object.assign(of(file, 'AUDIT'), { hide: true }), /Unrecognized key/],
  ])('is refused when it %s', (_, change, problem) => {
    expect(() => parseVisibility(draft(change))).toThrow(VisibilityError);
    expect(() => parseVisibility(draft(change))).toThrow(problem);
  });
});

describe('an entry', () => {
  it('names the bank, the purpose, the items and the consent', () => {
    expect(toEntry(logged(), visibility, names)).toEqual({
      id: 'r-1',
      at: '2026-11-24T02:00:00.000Z',
      who: { kind: 'bank', id: 'bank-a', zh: '金融机构', en: 'A financial institution' },
      why: {
        purpose: 'LOAN_ORIGINATION',
        code: 'LOAN_ORIGINATION',
        zh: '贷款审批',
        en: 'Decision on a loan',
      },
      items: [{ id: 'tax.grade', zh: '纳税缴费信用等级', en: 'Tax credit grades' }],
      result: 'DISCLOSED',
      consentIds: ['c-1'],
      isJoint: false,
    });
  });

  it('of an investigation looks like the duty of a state organ, but for who it was', () => {
    const principal = { kind: 'department', id: 'officer-7', department: 'tax' } as const;
    const duty = toEntry(logged({ principal, purpose: 'OFFICIAL_DUTY' }), visibility, names);
    const inquiry = toEntry(logged({ principal, purpose: 'INVESTIGATION' }), visibility, names);
    expect(duty.who).toMatchObject({ id: 'tax', zh: '国家税务总局天津市税务局' });
    expect(inquiry.why).toEqual(duty.why);
    expect(inquiry.why.purpose).toBeNull();
    expect(inquiry.who).toEqual({ kind: 'department', id: null, zh: '国家机关', en: 'A state organ' });
  });

  it('does not name the police, an officer, an operator or an auditor, whatever the purpose', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...PRINCIPAL_KINDS),
        fc.constantFrom(...PURPOSES),
        fc.constantFrom('public-security', 'tax', 'unheard-of'),
        (kind, purpose, department) => {
          const principal = { kind, id: 'account-9', ...(kind === 'department' ? { department } : {}) };
          const { who } = toEntry(logged({ principal, purpose }), visibility, names);
          const isPerson = ['department', 'operator', 'auditor', 'public'].includes(kind);
          const isPolice = kind === 'department' && department === 'public-security';
          expect(who.zh).not.toBe('');
          return !(isPerson && JSON.stringify(who).includes('account-9')) && !(isPolice && who.id !== null);
        },
      ),
    );
  });

  it('of several subjects says so, and keeps the consents of the others', () => {
    const entry = toEntry(logged({ subjects: ['O-1', 'O-2'], consents: ['c-1', 'c-2'] }), visibility, names);
    expect([entry.isJoint, entry.consentIds]).toEqual([true, null]);
  });

  it('names what was denied, and keeps the id of an item that is gone', () => {
    const denial = { item: 'tax.amount', reason: 'CONSENT_REQUIRED', path: 'creditSubject.tax.taxPaid' };
    const denied = toEntry(logged({ result: 'DENIED', items: [], denials: [denial] }), visibility, names);
    expect([denied.result, denied.items.map(({ id }) => id)]).toEqual(['DENIED', ['tax.amount']]);
    const gone = toEntry(logged({ items: ['tax.gone'] }), visibility, names);
    expect(gone.items).toEqual([{ id: 'tax.gone' }]);
  });

  it('that was only intended is an attempt, no disclosure', () => {
    expect(toEntry(logged({ result: 'INTENDED', answerHash: null }), visibility, names).result).toBe(
      'ATTEMPTED',
    );
  });
});
