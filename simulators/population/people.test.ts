import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { birthDateOf, isCitizenId } from '../../schema/identifiers/citizen-id.ts';
import { isCurrentRegion } from '../../schema/identifiers/region.ts';
import { legalRepresentativeOf, nameOfPerson } from './people.ts';

describe('people', () => {
  it('never are a real person: all are born in 1900, in Tianjin, under a name that is marked as made up', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (code, seed) => {
        const { name, citizenId } = legalRepresentativeOf(code, seed);
        expect(isCitizenId(citizenId)).toBe(true);
        expect(birthDateOf(citizenId)).toMatch(/^1900-/);
        expect(isCurrentRegion(citizenId.slice(0, 6))).toBe(true);
        expect(name).toMatch(/[样测示虚模假试仿例]/);
      }),
      { numRuns: 500 },
    );
  });

  it('are the same for the same code and seed, and others for another seed', () => {
    const once = legalRepresentativeOf('91120101MA9TYN016Y', '1');
    expect(legalRepresentativeOf('91120101MA9TYN016Y', '1')).toEqual(once);
    expect(legalRepresentativeOf('91120101MA9TYN016Y', '2').citizenId).not.toBe(once.citizenId);
  });

  it('have the name that the register has for their number', () => {
    const { name, citizenId } = legalRepresentativeOf('91120116MA9TYN024H', '1');
    expect(nameOfPerson(citizenId, '1')).toBe(name);
  });
});
