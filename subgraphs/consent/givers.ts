/** Who may consent for a subject: itself when of age, the guardian of a minor, or an agent of a company. Pure. */
import type { ConsentGiver } from '../../schema/consent.ts';
import { birthDateOf, isCitizenId } from '../../schema/identifiers/index.ts';
import type { Principal } from '../../schema/principal.ts';
import type { OpenedSubject, SubjectIds } from '../../schema/subject-id.ts';
import { dateInChina } from './register.ts';
import type { SubjectClass } from './templates.ts';

/** A credit subject as far as consents for it go. `comesOfAge`: the eighteenth birthday of a minor, else null. */
export interface ConsentingSubject {
  readonly id: string;
  readonly kind: OpenedSubject['kind'];
  readonly classOf: SubjectClass;
  readonly isUnder14: boolean;
  readonly comesOfAge: string | null;
}

/** Why somebody may not consent; the reason in `extensions.reason` of FORBIDDEN. */
export type GiverRefusal = 'SELF' | 'GUARDIAN_REQUIRED' | 'NOT_A_MINOR' | 'AGENT_OF_A_PERSON';

/** Null when the id is not one of the platform's, or holds no number from which an age could be read. `now` in ms. */
export function toConsentingSubject(
  subjectIds: SubjectIds,
  id: string,
  now: number,
): ConsentingSubject | null {
  const opened = subjectIds.open(id);
  if (!opened) return null;
  if (opened.kind !== 'NATURAL_PERSON')
    return {
      id,
      kind: opened.kind,
      // What is known of a sole trader is known of the person.
      classOf: opened.kind === 'SOLE_TRADER' ? 'person' : 'organisation',
      isUnder14: false,
      comesOfAge: null,
    };
  if (!isCitizenId(opened.citizenId)) return null;
  const born = birthDateOf(opened.citizenId);
  const today = dateInChina(now);
  const eighteenth = birthday(born, 18);
  return {
    id,
    kind: opened.kind,
    classOf: 'person',
    // An age is reached with the day after the birthday, as courts count 周岁; of two readings the stricter.
    isUnder14: today <= birthday(born, 14),
    comesOfAge: today <= eighteenth ? eighteenth : null,
  };
}

/**
 * As whom the principal may consent for the subject. Under fourteen only a guardian can (PIPL art. 31); up to eighteen a credit
 * is beyond what a minor can bind itself to alone (民法典 art. 19, 20); for an adult nobody is a guardian here, and nobody an agent.
 */
export function findGiver(
  principal: Principal,
  subject: ConsentingSubject,
): { readonly giver: ConsentGiver } | { readonly refusal: GiverRefusal } {
  if (principal.kind !== 'subject' || !principal.subjects.includes(subject.id)) return { refusal: 'SELF' };
  const giver = principal.actsFor?.find((one) => one.subject === subject.id)?.as ?? 'SELF';
  const isPerson = subject.kind === 'NATURAL_PERSON';
  if (giver === 'AGENT' && isPerson) return { refusal: 'AGENT_OF_A_PERSON' };
  if (giver === 'GUARDIAN' && subject.comesOfAge === null) return { refusal: 'NOT_A_MINOR' };
  if (giver === 'SELF' && subject.comesOfAge !== null) return { refusal: 'GUARDIAN_REQUIRED' };
  return { giver };
}

/** The anniversary of a date, YYYY-MM-DD; that of 29 February is 1 March where there is none. */
function birthday(born: string, years: number): string {
  const [year = 0, month = 1, day = 1] = born.split('-').map(Number);
  return new Date(Date.UTC(year + years, month - 1, day)).toISOString().slice(0, 10);
}
