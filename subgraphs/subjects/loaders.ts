import DataLoader from 'dataloader';
import { isLegacyError, LegacyError } from '../../adapters/adapter.ts';
import type { RequestScope } from '../define.ts';
import type { DepartmentStatus } from '../loader.ts';
import type { Match } from './matching.ts';
import type { IndexAnswer, PersonAnswer, SubjectIndex } from './subject-index.ts';
import { INDEX } from './subject-index.ts';

export interface SubjectLoaders {
  /**
   * Subjects of one request, with one SQL statement; rejects with LegacyError, also where an index that is too old lacks the
   * subject: the register may have it by now.
   */
  readonly subject: DataLoader<string, IndexAnswer>;
  /**
   * Persons of one request, with one SQL statement. Rejects with LegacyError for an index that is too old, whether it holds
   * the person or not: else its age would tell who is in it.
   */
  readonly person: DataLoader<string, PersonAnswer>;
  search(name: string, first: number): Promise<readonly Match[]>;
  forAssessment(id: string): Promise<RegisterFacts>;
}

/** Whether the register knows the subject. facts: `kind` and `state` (see source.ts), null while unknown. */
export interface RegisterFacts {
  readonly department: 'subjects';
  readonly status: DepartmentStatus;
  readonly asOf: string | null;
  readonly elapsedMs: number;
  readonly findings: number | null;
  readonly facts: Readonly<Record<string, string | null>> | null;
}

export function createSubjectLoaders(index: SubjectIndex, scope: RequestScope): SubjectLoaders {
  const subject = new DataLoader<string, IndexAnswer>(async (ids: readonly string[]) => {
    const answers = await index.read(ids, scope.call);
    ids.forEach((id, at) => {
      if (answers[at]?.subject && !isStale(answers[at].asOf, scope))
        scope.mayCache(id, scope.catalogue.maxAge);
    });
    return answers.map((answer) =>
      answer.subject === null && isStale(answer.asOf, scope)
        ? new LegacyError('unavailable', INDEX, 'is too old to say that there is no such subject')
        : answer,
    );
  });

  const person = new DataLoader<string, PersonAnswer>(async (ids: readonly string[]) => {
    const answers = await index.persons(ids, scope.call);
    return answers.map((answer, at) => {
      if (isStale(answer.asOf, scope))
        return new LegacyError('unavailable', INDEX, 'is too old to say who is in the register');
      if (answer.identities.length > 0) scope.mayCache(ids[at] as string, scope.catalogue.maxAge);
      return answer;
    });
  });

  return {
    subject,
    person,
    search: (name, first) => index.search(name, first, scope.call),
    async forAssessment(id) {
      const startedAt = scope.clock.now();
      const [answer, status] = await subject.load(id).then(
        (found) => [found, toStatus(found, scope)] as const,
        (error: unknown) => {
          if (!isLegacyError(error)) throw error;
          return [null, error.fault === 'timeout' ? 'TIMEOUT' : 'UNAVAILABLE'] as const;
        },
      );
      const known = answer?.subject ?? null;
      return {
        department: 'subjects',
        status,
        asOf: answer?.asOf ?? null,
        elapsedMs: Math.round(scope.clock.now() - startedAt),
        findings: answer === null ? null : 0,
        facts: known === null ? null : { kind: scope.subjectIds.open(id)?.kind ?? null, state: known.state },
      };
    },
  };
}

function toStatus({ subject, asOf }: IndexAnswer, scope: RequestScope): DepartmentStatus {
  if (subject === null) return 'NONE_FOUND';
  return isStale(asOf, scope) ? 'STALE' : 'OK';
}

function isStale(asOf: string, { clock, catalogue }: RequestScope): boolean {
  return catalogue.staleAfter !== undefined && clock.now() - Date.parse(asOf) > catalogue.staleAfter * 1000;
}
