/** An answer's bytes → what in them its asker may not see, and which fields it did see. */
import type { Finding } from './canaries.ts';
import type { Coordinate } from './graph.ts';
import type { Verdict } from './oracle.ts';

export interface Leak {
  readonly coordinate: string;
  readonly subject: number;
  /** VALUE: its canary stands somewhere; PLACE: something stands where it was asked for; CLEAR: it should have been masked. */
  readonly how: 'VALUE' | 'PLACE' | 'CLEAR';
}

export interface Place {
  readonly coordinate: Coordinate;
  readonly keys: readonly string[];
  /** What the asker may, by everything on the way to the field. */
  readonly verdictOf: (subject: number) => Verdict;
}

export function judgeAnswer(
  data: unknown,
  findings: readonly Finding[],
  places: readonly Place[],
): {
  readonly leaks: readonly Leak[];
  readonly answered: readonly string[];
  readonly withheld: readonly string[];
} {
  const leaks: Leak[] = [];
  const answered = new Set<string>();
  const withheld = new Set<string>();
  for (const { coordinate, subject } of findings) {
    const verdicts = places
      .filter((place) => place.coordinate.id === coordinate)
      .map((place) => place.verdictOf(subject));
    if (verdicts.includes('allow')) continue;
    leaks.push({ coordinate, subject, how: verdicts.includes('mask') ? 'CLEAR' : 'VALUE' });
  }
  for (const { coordinate, keys, verdictOf } of places)
    for (const { value, subject } of valuesAt(data, keys)) {
      const may = verdictOf(subject) !== 'deny';
      const isThere = value !== null && value !== undefined;
      if (isThere && !may) leaks.push({ coordinate: coordinate.id, subject, how: 'PLACE' });
      if (may) (isThere ? answered : withheld).add(coordinate.id);
    }
  return { leaks, answered: [...answered], withheld: [...withheld] };
}

/** The values at a way of response keys. Of a list of several the position is the number of the subject. */
function valuesAt(data: unknown, keys: readonly string[]): readonly { value: unknown; subject: number }[] {
  let found: readonly { value: unknown; subject: number }[] = [{ value: data, subject: 0 }];
  for (const key of keys)
    found = found.flatMap(({ value, subject }) => {
      if (typeof value !== 'object' || value === null) return [{ value: null, subject }];
      const next = (value as Readonly<Record<string, unknown>>)[key];
      if (!Array.isArray(next)) return [{ value: next, subject }];
      return next.map((one: unknown, at) => ({ value: one, subject: next.length > 1 ? at : subject }));
    });
  return found;
}
