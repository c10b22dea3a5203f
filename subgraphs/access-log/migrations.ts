/** What auditors have extended. The log itself is the gateway's: it makes the tables of `evidence`, and this reads them. */
export const MIGRATIONS = [
  {
    id: '0001-extension',
    sql: `
      CREATE SCHEMA IF NOT EXISTS access_log;
      -- Nothing is changed here, only added: the latest moment counts, and who extended it how often can be shown.
      CREATE TABLE access_log.extension (
        record_id text NOT NULL,
        until timestamptz NOT NULL,
        reason text NOT NULL,
        extended_by text NOT NULL,
        extended_at timestamptz NOT NULL,
        PRIMARY KEY (record_id, until)
      );
    `,
  },
] as const;
