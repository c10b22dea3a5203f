/** The civil register, as far as a verdict needs it. */
import { parseCitizenId } from '../../schema/identifiers/citizen-id.ts';
import { legalRepresentativeOf, nameOfPerson } from '../population/people.ts';
import { randomFor } from '../population/random.ts';
import type { Registration } from '../population/registrations.ts';
import type { Verdict } from './question-server.ts';

export interface Register {
  /** 00 一致, 01 不一致, 02 库中无此号. */
  verdictOf(name: string, citizenId: string): Verdict;
}

/**
 * Everybody who was made up (born in 1900) is in it under the name that follows from the number, but for one in fifty
 * whose number it has not, and one in thirty who has changed the name. Nobody else is: a real person is never confirmed.
 */
export function createRegister(seed: string, sample: Registration | undefined): Register {
  const sampleId = sample ? legalRepresentativeOf(sample.code, seed).citizenId : null;
  return {
    verdictOf(name, citizenId) {
      if (!parseCitizenId(citizenId).ok || citizenId.slice(6, 10) !== '1900') return '02';
      const random = randomFor(seed, citizenId, 'civil register');
      // The sample of guides and examples has a good record everywhere.
      const isOdd = citizenId !== sampleId;
      if (isOdd && random.chance(1 / 50)) return '02';
      const hasOtherName = isOdd && random.chance(1 / 30);
      return !hasOtherName && name === nameOfPerson(citizenId, seed) ? '00' : '01';
    },
  };
}
