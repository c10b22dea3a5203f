/** Tables of ingested files in the platform's store. Whatever belongs to a subject is keyed by the subject first, so it can be sharded. */
export const FILE_DROP_SCOPE = 'file-drop';

export const FILE_DROP_MIGRATIONS = [
  {
    id: '0001-files-rows-quarantine',
    sql: `
      -- Every file that was ever taken; one per feed is current, its rows alone are kept.
      CREATE TABLE file_drop_file (
        id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        system        text NOT NULL,
        feed          text NOT NULL,
        name          text NOT NULL,
        digest        text NOT NULL,
        business_date date NOT NULL,
        lines         integer NOT NULL,
        taken_at      timestamptz NOT NULL,
        is_current    boolean NOT NULL
      );
      CREATE UNIQUE INDEX file_drop_current ON file_drop_file (system, feed) WHERE is_current;

      CREATE TABLE file_drop_row (
        subject text NOT NULL,
        file    bigint NOT NULL,
        line    integer NOT NULL,
        record  jsonb NOT NULL,
        PRIMARY KEY (subject, file, line)
      );

      -- subject is '' where the line does not show whose it is.
      CREATE TABLE file_drop_quarantine (
        subject     text NOT NULL,
        id          bigint GENERATED ALWAYS AS IDENTITY,
        file        bigint NOT NULL,
        line        integer NOT NULL,
        raw         bytea NOT NULL,
        reason      text NOT NULL,
        resolved_at timestamptz,
        PRIMARY KEY (subject, id)
      );
      CREATE INDEX file_drop_quarantine_file ON file_drop_quarantine (file) WHERE resolved_at IS NULL;
    `,
  },
] as const;
