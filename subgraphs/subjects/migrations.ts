/** Tables of the index, keyed by subject first, so that a distributed PostgreSQL can shard them as they are. */
export const MIGRATIONS = [
  {
    id: '0001-subject-index',
    sql: `
      CREATE SCHEMA IF NOT EXISTS subjects;
      CREATE EXTENSION IF NOT EXISTS pg_trgm;

      CREATE TABLE subjects.subject (
        subject_id text PRIMARY KEY,
        name text NOT NULL,
        state text,
        identity text,
        generation integer NOT NULL
      );

      CREATE TABLE subjects.name (
        subject_id text NOT NULL,
        normalised text NOT NULL,
        name text NOT NULL,
        name_key text NOT NULL,
        region text NOT NULL,
        core text NOT NULL,
        form text NOT NULL,
        bigrams text[] NOT NULL,
        is_former boolean NOT NULL,
        PRIMARY KEY (subject_id, normalised)
      );
      CREATE INDEX name_normalised ON subjects.name (normalised);
      CREATE INDEX name_key ON subjects.name (name_key);
      -- Trigrams of the core, not of the whole name: 天津市 and 有限公司 stand in nearly all of them and would make every
      -- search read the table. Without fastupdate, or what was just filled in would be searched row by row.
      CREATE INDEX name_core_trigrams ON subjects.name USING gin (core gin_trgm_ops) WITH (fastupdate = off);
      CREATE INDEX name_bigrams ON subjects.name USING gin (bigrams) WITH (fastupdate = off);

      -- How far the register has been read. filled_at is null before the first whole pass.
      CREATE TABLE subjects.fill (
        feed text PRIMARY KEY,
        sequence bigint NOT NULL,
        anchor text,
        generation integer NOT NULL,
        is_whole boolean NOT NULL,
        filled_at timestamptz,
        -- The moment for which the register spoke when it was last read to its end.
        as_of timestamptz
      );
      INSERT INTO subjects.fill VALUES ('registrations', 0, NULL, 1, true, NULL, NULL);

      -- Rows that were not indexed. What they said stays in the register: it may be a person's number in the wrong column.
      CREATE TABLE subjects.quarantine (
        feed text NOT NULL,
        row_id text NOT NULL,
        reason text NOT NULL,
        found_at timestamptz NOT NULL,
        PRIMARY KEY (feed, row_id)
      );
    `,
  },
  {
    id: '0002-persons',
    sql: `
      -- Persons that the register names, by their SubjectId, once for each registration that names them; name and number sealed.
      CREATE TABLE subjects.person (
        subject_id text NOT NULL,
        named_by text NOT NULL,
        identity text NOT NULL,
        PRIMARY KEY (subject_id, named_by)
      );
      CREATE INDEX person_named_by ON subjects.person (named_by);
      -- Read the register again from its beginning: until that is done nobody can be said not to be in it.
      UPDATE subjects.fill SET sequence = 0, anchor = NULL, generation = generation + 1, is_whole = filled_at IS NULL
      WHERE feed = 'registrations';
    `,
  },
] as const;
