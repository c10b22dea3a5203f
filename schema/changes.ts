/**
 * What a department announces when what it says of a subject has changed, and what a cache checks what it keeps against. Names
 * of changes hold SubjectIds, never numbers.
 */

/** `subject` is a SubjectId, `department` a subgraph's name; null: every one. Both null says nothing and is refused. */
export interface Change {
  readonly subject: string | null;
  readonly department: string | null;
}

const EVERY = '*';

/** The one name of a change. A department's name holds no blank, so no two changes share a name. */
export function toChangeName({ subject, department }: Change): string {
  return `${department ?? EVERY} ${subject ?? EVERY}`;
}

/** Names of the changes that make what `department` said of `subject` out of date; a subject of null: of nobody in particular. */
export function changesAbout(department: string, subject: string | null): readonly string[] {
  const ofDepartment = toChangeName({ subject: null, department });
  if (subject === null) return [ofDepartment];
  return [ofDepartment, toChangeName({ subject, department: null }), toChangeName({ subject, department })];
}
