/** One batch of the register's changes → the tables, inside the caller's transaction. */
import type { PoolClient } from 'pg';
import { toNameParts } from './names.ts';
import type { RegisterChange, Registered } from './source.ts';

/** Applies changes in their order; returns how many rows were newly set aside. */
export async function applyBatch(
  client: PoolClient,
  feed: string,
  changes: readonly RegisterChange[],
  generation: number,
  now: Date,
): Promise<number> {
  const { entries, removed } = toFinalStates(changes);
  if (removed.length > 0) {
    await client.query('DELETE FROM subjects.name WHERE subject_id = ANY($1::text[])', [removed]);
    await client.query('DELETE FROM subjects.person WHERE named_by = ANY($1::text[])', [removed]);
    await client.query('DELETE FROM subjects.subject WHERE subject_id = ANY($1::text[])', [removed]);
  }
  if (entries.length > 0) await putEntries(client, entries, generation);
  const rejected = changes.filter((change) => change.change === 'rejected');
  if (rejected.length === 0) return 0;
  const { rowCount } = await client.query(
    `INSERT INTO subjects.quarantine (feed, row_id, reason, found_at)
     SELECT $1, row_id, reason, $4 FROM unnest($2::text[], $3::text[]) AS rejected (row_id, reason)
     ON CONFLICT (feed, row_id) DO NOTHING`,
    [feed, rejected.map(({ rowId }) => rowId), rejected.map(({ reason }) => reason), now],
  );
  return rowCount ?? 0;
}

/** Of whom the index will say something else: companies of the batch, and the persons whom they name or have named. */
export async function findTouched(
  client: PoolClient,
  changes: readonly RegisterChange[],
): Promise<readonly string[]> {
  const companies = changes.flatMap((change) =>
    change.change === 'removed'
      ? [change.subjectId]
      : change.change === 'registered'
        ? [change.entry.subjectId]
        : [],
  );
  const { rows } = await client.query<{ subject_id: string }>(
    'SELECT DISTINCT subject_id FROM subjects.person WHERE named_by = ANY($1::text[])',
    [companies],
  );
  const named = changes.flatMap((change) =>
    change.change === 'registered' && change.entry.personId !== null ? [change.entry.personId] : [],
  );
  return [...new Set([...companies, ...named, ...rows.map(({ subject_id: id }) => id)])];
}

/**
 * The register repeats a subject for every change (变更): the last row stands, and a name that an earlier one gave is a
 * former name.
 */
function toFinalStates(changes: readonly RegisterChange[]): {
  readonly entries: readonly Registered[];
  readonly removed: readonly string[];
} {
  const entries = new Map<string, Registered>();
  const removed = new Set<string>();
  for (const change of changes) {
    if (change.change === 'removed') {
      entries.delete(change.subjectId);
      removed.add(change.subjectId);
    } else if (change.change === 'registered') {
      const { entry } = change;
      const earlier = entries.get(entry.subjectId);
      const formerNames = earlier
        ? [...earlier.formerNames, earlier.name, ...entry.formerNames]
        : entry.formerNames;
      entries.set(entry.subjectId, { ...entry, formerNames });
    }
  }
  return { entries: [...entries.values()], removed: [...removed] };
}

async function putEntries(
  client: PoolClient,
  entries: readonly Registered[],
  generation: number,
): Promise<void> {
  await client.query(
    `INSERT INTO subjects.subject (subject_id, name, state, identity, generation)
     SELECT *, $5 FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
     ON CONFLICT (subject_id) DO UPDATE
     SET name = excluded.name, state = excluded.state, identity = excluded.identity, generation = excluded.generation`,
    [
      entries.map(({ subjectId }) => subjectId),
      entries.map(({ name }) => name),
      entries.map(({ state }) => state),
      entries.map(({ identity }) => identity),
      generation,
    ],
  );
  await putPersons(client, entries);
  // Whatever the subject was called until now is a former name, unless it is among those put below.
  await client.query(
    'UPDATE subjects.name SET is_former = true WHERE subject_id = ANY($1::text[]) AND NOT is_former',
    [entries.map(({ subjectId }) => subjectId)],
  );
  const names = entries.flatMap(toNames);
  await client.query(
    `INSERT INTO subjects.name (subject_id, name, normalised, name_key, region, core, form, bigrams, is_former)
     SELECT subject_id, name, normalised, name_key, region, core, form, string_to_array(bigrams, ' '), is_former
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::boolean[])
       AS put (subject_id, name, normalised, name_key, region, core, form, bigrams, is_former)
     ON CONFLICT (subject_id, normalised) DO UPDATE SET name = excluded.name, is_former = excluded.is_former`,
    [
      names.map(({ subjectId }) => subjectId),
      names.map(({ name }) => name),
      names.map(({ parts }) => parts.normalised),
      names.map(({ parts }) => parts.key),
      names.map(({ parts }) => parts.region),
      names.map(({ parts }) => parts.core),
      names.map(({ parts }) => parts.form),
      // An array of arrays of different lengths is none in PostgreSQL; a normalised name holds no blank.
      names.map(({ parts }) => parts.bigrams.join(' ')),
      names.map(({ isFormer }) => isFormer),
    ],
  );
}

/** A person is in the index as long as some registration names them: the one before (变更) no longer does. */
async function putPersons(client: PoolClient, entries: readonly Registered[]): Promise<void> {
  await client.query('DELETE FROM subjects.person WHERE named_by = ANY($1::text[])', [
    entries.map(({ subjectId }) => subjectId),
  ]);
  const named = entries.filter(({ personId }) => personId !== null);
  await client.query(
    `INSERT INTO subjects.person (subject_id, named_by, identity)
     SELECT * FROM unnest($1::text[], $2::text[], $3::text[])`,
    [
      named.map(({ personId }) => personId),
      named.map(({ subjectId }) => subjectId),
      named.map(({ identity }) => identity),
    ],
  );
}

/** The names of an entry, each once: spellings that normalise equally are one name, and today's is never a former one. */
function toNames({ subjectId, name, formerNames }: Registered) {
  const names = new Map<
    string,
    { subjectId: string; name: string; parts: ReturnType<typeof toNameParts>; isFormer: boolean }
  >();
  for (const [at, text] of [name, ...formerNames].entries()) {
    const parts = toNameParts(text);
    if (parts.normalised !== '' && !names.has(parts.normalised))
      names.set(parts.normalised, { subjectId, name: text, parts, isFormer: at > 0 });
  }
  return [...names.values()];
}
