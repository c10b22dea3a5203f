/** Consents, keyed by subject first, so that a distributed PostgreSQL can shard them as they are. */
export const MIGRATIONS = [
  {
    id: '0001-artefact',
    sql: `
      CREATE SCHEMA IF NOT EXISTS consent;
      CREATE TABLE consent.artefact (
        -- '*' only in the standing grants of a sandbox.
        subject_id text NOT NULL,
        id uuid NOT NULL,
        consumer text NOT NULL,
        purpose text NOT NULL,
        items text[] NOT NULL,
        -- ACTIVE, PAUSED or REVOKED; a consent past expires_at is EXPIRED whatever stands here.
        state text NOT NULL CHECK (state IN ('ACTIVE', 'PAUSED', 'REVOKED')),
        period_from date,
        period_until date,
        data_life_days integer NOT NULL,
        frequency_times integer,
        frequency_per text,
        granted_by text NOT NULL,
        granted_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        revoked_at timestamptz,
        digest text NOT NULL,
        PRIMARY KEY (subject_id, id)
      );
      CREATE INDEX artefact_of_consumer ON consent.artefact (subject_id, consumer, purpose);
    `,
  },
] as const;
