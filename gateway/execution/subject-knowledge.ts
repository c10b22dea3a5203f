/**
 * What authorization must know of subjects before their departments are asked: consents, releases, states. Asked once for
 * each set of subjects and request, all at the same time. What cannot be found out is null, and what needs it is denied.
 */
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import type { Law } from '../../schema/law.ts';
import type { CitizenId } from '../../schema/identifiers/citizen-id.ts';
import { birthDateOf } from '../../schema/identifiers/citizen-id.ts';
import type { Principal } from '../../schema/principal.ts';
import type { SubjectIds } from '../../schema/subject-id.ts';
import type { Requirement } from '../authorization/decision.ts';
import type { ConsentFact, SubjectFacts, SubjectState } from '../authorization/subject-facts.ts';
import { NO_FACTS } from '../authorization/subject-facts.ts';
import type { InternalQuestions } from './internal-questions.ts';

/** Facts of each subject, as far as decisions with these requirements need them. */
export type SubjectKnowledge = (
  subjects: readonly string[],
  needs: ReadonlySet<Requirement>,
) => Promise<(subject: string | null) => SubjectFacts>;

/** What was found when an answer was about to leave: consents that hold no more, or that nobody could say. */
export interface Withdrawn {
  readonly ids: ReadonlySet<string>;
  readonly isUnknown: boolean;
}

export const NOTHING_WITHDRAWN: Withdrawn = { ids: new Set(), isUnknown: false };

/** `null`: the register knows of no end. */
export interface StateMemory {
  of(
    subjects: readonly string[],
    ask: (missing: readonly string[]) => Promise<ReadonlyMap<string, SubjectState>>,
  ): Promise<ReadonlyMap<string, SubjectState>>;
}

/** Keeps each state for `keptMs`; a register that cannot be read is asked again by the next request. */
export function createStateMemory(keptMs: number): StateMemory {
  const kept = new LRUCache<string, { readonly state: SubjectState | null }>({ max: 50_000, ttl: keptMs });
  return {
    async of(subjects, ask) {
      const missing = subjects.filter((subject) => !kept.has(subject));
      const asked = missing.length > 0 ? await ask(missing) : new Map<string, SubjectState>();
      const states = new Map<string, SubjectState>();
      for (const subject of missing) kept.set(subject, { state: asked.get(subject) ?? null });
      for (const subject of subjects) {
        const state = asked.get(subject) ?? kept.get(subject)?.state ?? null;
        if (state !== null) states.set(subject, state);
      }
      return states;
    },
  };
}

export function createSubjectKnowledge(options: {
  readonly principal: Principal;
  readonly request: string;
  readonly questions: InternalQuestions;
  readonly subjectIds: SubjectIds | null;
  readonly law: Law;
  readonly withdrawn: Withdrawn;
  /** States that were read a short while ago, for all requests: a register of companies changes by the day. */
  readonly states: StateMemory;
  readonly now: () => number;
  readonly log: Logger;
}): SubjectKnowledge {
  const { principal, questions, log } = options;
  const asked = new Map<string, Promise<unknown>>();

  function once<T>(key: string, question: () => Promise<T>): Promise<T | null> {
    const known = asked.get(key) as Promise<T | null> | undefined;
    const answer =
      known ??
      question().catch((error: unknown) => {
        log.warn({ err: error }, 'what a decision needs could not be found out');
        return null;
      });
    asked.set(key, answer);
    return answer;
  }

  return async (subjects, needs) => {
    const key = [...subjects].sort().join(' ');
    const wants = (requirement: Requirement) => needs.has(requirement) && subjects.length > 0;
    const [consents, releases] = await Promise.all([
      wants('CONSENT')
        ? once(`consents ${key}`, () =>
            questions.consents({
              consumer: principal.id,
              purpose: principal.purpose,
              subjects,
              request: options.request,
            }),
          )
        : EMPTY,
      wants('BREAK_GLASS')
        ? once(`releases ${key}`, () => questions.releases(principal.id, subjects))
        : EMPTY,
    ]);
    const ending = subjects.filter((subject) => canEndWith(subject, consents?.get(subject) ?? []));
    const states =
      ending.length > 0
        ? await once(`states ${ending.join(' ')}`, () =>
            options.states.of(ending, (some) => questions.states(some)),
          )
        : EMPTY;
    return (subject) => {
      if (subject === null) return NO_FACTS;
      return {
        isSelf: principal.subjects.includes(subject),
        consents: options.withdrawn.isUnknown ? null : held(consents, subject),
        releases: releases && (releases.get(subject) ?? []),
        state: states ? (states.get(subject) ?? ageState(subject)) : 'UNKNOWN',
      };
    };
  };

  function held(
    consents: ReadonlyMap<string, readonly ConsentFact[]> | null,
    subject: string,
  ): readonly ConsentFact[] | null {
    return consents && (consents.get(subject) ?? []).filter(({ id }) => !options.withdrawn.ids.has(id));
  }

  /** A person's age is in the number that the id holds; it is opened in this process and goes nowhere. */
  function ageState(subject: string): SubjectState {
    if (ORGANISATION.test(subject)) return 'CURRENT';
    const opened = options.subjectIds?.open(subject);
    // Without the key nobody can say whether it is a child's.
    if (opened?.kind !== 'NATURAL_PERSON') return 'UNKNOWN';
    const [year = 0, month = 1, day = 1] = birthDateOf(opened.citizenId as CitizenId)
      .split('-')
      .map(Number);
    // Of age on the birthday, in China.
    const ofAge = Date.UTC(year + options.law.minor.below, month - 1, day) - 8 * 3_600_000;
    return options.now() < ofAge ? 'MINOR' : 'CURRENT';
  }
}

/** Whether the end of the subject would end one of its consents: a person's, or what an agent did for an organisation. */
function canEndWith(subject: string, consents: readonly ConsentFact[]): boolean {
  return ORGANISATION.test(subject)
    ? consents.some(({ givenBy }) => givenBy === 'AGENT')
    : consents.length > 0;
}

/** The id of an organisation shows that it is one. */
const ORGANISATION = /^O-/;
const EMPTY: ReadonlyMap<string, never> = new Map<string, never>();
