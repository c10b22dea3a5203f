import { describe, expect, it } from '@jest/globals';
import { createUrgencies } from './urgency.ts';

const bank = { authorization: 'Bearer known', isCertified: false };
const nobody = { authorization: undefined, isCertified: false };
const one = { query: 'query ($of: [ID!]!) { a(of: $of) }', documentId: null, bytes: 80 };
const many = { ...one, bytes: 600 };

describe('the urgency of a request', () => {
  it('is the public’s until somebody was identified by the same credentials, or by a certificate', () => {
    const urgencies = createUrgencies();
    expect([bank, nobody].map((caller) => urgencies.ofCaller(caller))).toEqual(['public', 'public']);
    urgencies.noteIdentified(bank);
    urgencies.noteIdentified(nobody);
    const stranger = { ...bank, authorization: 'Bearer other' };
    expect([bank, nobody, stranger].map((caller) => urgencies.ofCaller(caller))).toEqual([
      'check',
      'public',
      'public',
    ]);
    expect(urgencies.ofCaller({ authorization: undefined, isCertified: true })).toBe('check');
  });

  it('falls with what the operation cost before, with variables of about the same size', () => {
    const urgencies = createUrgencies();
    urgencies.noteIdentified(bank);
    urgencies.noteCost(one, 120);
    urgencies.noteCost(many, 12_000);
    expect(urgencies.of(bank, one)).toEqual({ urgency: 'check', work: 120 });
    expect(urgencies.of(bank, many)).toEqual({ urgency: 'bulk', work: 12_000 });
    expect(urgencies.of(nobody, many).urgency).toBe('public');
  });
});
