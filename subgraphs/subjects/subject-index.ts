/** Reading the index: many subjects, or all names like one, with one SQL statement each. */
import { z } from 'zod';
import type { Adapter, CallContext } from '../../adapters/adapter.ts';
import { LegacyError } from '../../adapters/adapter.ts';
import type { Match } from './matching.ts';
import { rank } from './matching.ts';
import { toNameParts } from './names.ts';
import { askRows } from '../../adapters/postgres/rows.ts';
import type { Statement } from '../../adapters/postgres/store.ts';

export const INDEX = '信用主体库';

export interface IndexedSubject {
  readonly name: string;
  readonly formerNames: readonly string[];
  readonly state: string | null;
  readonly identity: string | null;
}

/** What the index says of a subject; null: it has been filled, and there is no such subject. `asOf` ISO 8601. */
export interface IndexAnswer {
  readonly subject: IndexedSubject | null;
  readonly asOf: string;
}

/** What the index says of a person: their sealed identities, one for each spelling; empty: the register names no such person. */
export interface PersonAnswer {
  readonly identities: readonly string[];
  readonly asOf: string;
}

export interface SubjectIndex {
  /** One answer per id in their order. Rejects with LegacyError; an index that was never filled is `unavailable`. */
  read(ids: readonly string[], context: CallContext): Promise<readonly IndexAnswer[]>;
  /** The best `first` matches of a name. Rejects as `read` does. */
  search(name: string, first: number, context: CallContext): Promise<readonly Match[]>;
  /**
   * One answer per person's id in their order. Rejects as `read` does, and also while the register is read anew: a person
   * who has not been read in yet is not absent.
   */
  persons(ids: readonly string[], context: CallContext): Promise<readonly PersonAnswer[]>;
}

const READ = `
  SELECT f.as_of, s.subject_id, s.name, s.state, s.identity,
         ARRAY(SELECT n.name FROM subjects.name n WHERE n.subject_id = s.subject_id AND n.is_former ORDER BY n.name) AS former_names
  FROM subjects.fill f LEFT JOIN subjects.subject s ON s.subject_id = ANY($1::text[])
  WHERE f.feed = 'registrations' AND f.filled_at IS NOT NULL`;

const PERSONS = `
  SELECT f.as_of, p.subject_id, p.identity
  FROM subjects.fill f
  LEFT JOIN (SELECT DISTINCT subject_id, identity FROM subjects.person WHERE subject_id = ANY($1::text[])) p ON true
  WHERE f.feed = 'registrations' AND f.filled_at IS NOT NULL AND f.is_whole`;

/**
 * $1 normalised, $2 key, $3 core, $4 bigrams of the core (null when it has none). The arms differ in what they forgive:
 * nothing; brackets and the form; some letters of the core; everything around a short core.
 */
const SEARCH = `
  SELECT f.as_of, c.*
  FROM subjects.fill f LEFT JOIN (
    SELECT n.subject_id, n.name, n.normalised, n.name_key, n.region, n.core, n.form, n.is_former,
           similarity(n.core, $3) AS core_similarity
    FROM subjects.name n
    WHERE n.normalised = $1 OR n.name_key = $2 OR n.core % $3 OR n.bigrams @> $4::text[]
    ORDER BY n.normalised = $1 DESC, n.name_key = $2 DESC, similarity(n.core, $3) + similarity(n.normalised, $1) DESC, n.subject_id
    LIMIT 200
  ) c ON true
  WHERE f.feed = 'registrations' AND f.filled_at IS NOT NULL`;

const filled = { as_of: z.date() };
const subjectRow = z.object({
  ...filled,
  subject_id: z.string(),
  name: z.string(),
  state: z.string().nullable(),
  identity: z.string().nullable(),
  former_names: z.array(z.string()),
});
const personRow = z.object({ ...filled, subject_id: z.string(), identity: z.string() });
const nameRow = z.object({
  ...filled,
  subject_id: z.string(),
  name: z.string(),
  normalised: z.string(),
  name_key: z.string(),
  region: z.string(),
  core: z.string(),
  form: z.string(),
  is_former: z.boolean(),
  core_similarity: z.coerce.number(),
});
const emptyRow = z.object({ ...filled, subject_id: z.null() });

export function createSubjectIndex(store: Adapter<Statement>): SubjectIndex {
  async function ask<Row>(statement: Statement, schema: z.ZodType<Row>, context: CallContext) {
    const rows = await askRows(store, z.union([emptyRow, schema]), statement, context);
    const [first] = rows as readonly { readonly as_of: Date }[];
    // Nobody has been read in yet: that says nothing about anybody.
    if (!first) throw new LegacyError('unavailable', INDEX, 'has not been filled yet');
    return {
      asOf: first.as_of.toISOString(),
      rows: rows.filter((row): row is Row => (row as { subject_id: unknown }).subject_id !== null),
    };
  }

  return {
    async read(ids, context) {
      const { asOf, rows } = await ask({ text: READ, values: [ids] }, subjectRow, context);
      const known = new Map(rows.map((row) => [row.subject_id, row]));
      return ids.map((id) => {
        const row = known.get(id);
        const subject = row
          ? { name: row.name, formerNames: row.former_names, state: row.state, identity: row.identity }
          : null;
        return { subject, asOf };
      });
    },
    async search(name, first, context) {
      const asked = toNameParts(name);
      const bigrams = asked.bigrams.length > 0 ? asked.bigrams : null;
      const values = [asked.normalised, asked.key, asked.core, bigrams];
      const { rows } = await ask({ text: SEARCH, values }, nameRow, context);
      const candidates = rows.map((row) => ({
        subjectId: row.subject_id,
        name: row.name,
        parts: {
          normalised: row.normalised,
          key: row.name_key,
          region: row.region,
          core: row.core,
          form: row.form,
        },
        isFormer: row.is_former,
        coreSimilarity: row.core_similarity,
      }));
      return rank(asked, candidates, first);
    },
    async persons(ids, context) {
      const { asOf, rows } = await ask({ text: PERSONS, values: [ids] }, personRow, context);
      return ids.map((id) => ({
        identities: rows.filter((row) => row.subject_id === id).map(({ identity }) => identity),
        asOf,
      }));
    },
  };
}
