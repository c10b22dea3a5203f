/** Consents, keyed by subject first, so that a distributed PostgreSQL can shard them as they are. */
import { CONFIRM_FUNCTION } from './confirm-function.ts';

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
  {
    id: '0002-lifecycle',
    sql: `
      ALTER TABLE consent.artefact
        ADD COLUMN draft_id uuid,
        ADD COLUMN product text,
        ADD COLUMN channel text NOT NULL DEFAULT 'PUBLIC_CREDIT_PLATFORM',
        ADD COLUMN given_by text NOT NULL DEFAULT 'SELF',
        ADD COLUMN written_items text[] NOT NULL DEFAULT '{}',
        ADD COLUMN refused_items text[] NOT NULL DEFAULT '{}',
        -- The 授权书 as it was agreed to, and the signed canonical JSON of the whole consent; null once purged.
        ADD COLUMN text_version text,
        ADD COLUMN text_zh text,
        ADD COLUMN text_en text,
        ADD COLUMN text_digest text,
        ADD COLUMN artefact text,
        -- What the marks in the artefact were made with; they say nothing once it is gone.
        ADD COLUMN mark_salt text,
        ADD COLUMN signature text,
        ADD COLUMN signature_algorithm text,
        ADD COLUMN signature_key text,
        ADD COLUMN use_count integer NOT NULL DEFAULT 0,
        ADD COLUMN last_used_at timestamptz,
        -- Each is set once, by whichever process comes first: who sets it writes the notice.
        ADD COLUMN expiry_noted_at timestamptz,
        ADD COLUMN deletion_noted_at timestamptz,
        ADD COLUMN purged_at timestamptz;
      -- The gateway confirms by id alone.
      CREATE INDEX artefact_by_id ON consent.artefact (id);
      CREATE INDEX artefact_to_end ON consent.artefact (expires_at) WHERE deletion_noted_at IS NULL;
      CREATE INDEX artefact_to_purge ON consent.artefact (deletion_noted_at) WHERE purged_at IS NULL;

      -- What a bank proposes and the subject has not seen yet, or has decided.
      CREATE TABLE consent.draft (
        subject_id text NOT NULL,
        id uuid NOT NULL,
        consumer text NOT NULL,
        state text NOT NULL CHECK (state IN ('OPEN', 'GRANTED', 'REFUSED')),
        content jsonb NOT NULL,
        prepared_at timestamptz NOT NULL,
        open_until timestamptz NOT NULL,
        decided_at timestamptz,
        consent_id uuid,
        PRIMARY KEY (subject_id, id)
      );
      CREATE INDEX draft_by_id ON consent.draft (id);
      CREATE INDEX draft_of_consumer ON consent.draft (subject_id, consumer) WHERE state = 'OPEN';
      CREATE INDEX draft_to_purge ON consent.draft (open_until);

      -- One row for each use that was counted: what a frequency is counted over.
      CREATE TABLE consent.use (
        subject_id text NOT NULL,
        consent_id uuid NOT NULL,
        request text NOT NULL,
        used_at timestamptz NOT NULL,
        PRIMARY KEY (subject_id, consent_id, request, used_at)
      );
      -- What a consumer's request was for: the same request with another content is a conflict.
      CREATE TABLE consent.request (
        consumer text NOT NULL,
        request text NOT NULL,
        digest text NOT NULL,
        first_at timestamptz NOT NULL,
        PRIMARY KEY (consumer, request)
      );
      CREATE INDEX request_to_purge ON consent.request (first_at);

      -- What consumer and subject are told. Numbers are given before a transaction commits, so a reader that only kept the
      -- highest number would miss one that commits late; readers go by (tx, seq) and no further than the oldest one running.
      CREATE TABLE consent.notice (
        subject_id text NOT NULL,
        seq bigint GENERATED ALWAYS AS IDENTITY,
        tx xid8 NOT NULL DEFAULT pg_current_xact_id(),
        consumer text NOT NULL,
        kind text NOT NULL,
        draft_id uuid,
        consent_id uuid,
        at timestamptz NOT NULL,
        PRIMARY KEY (subject_id, seq)
      );
      CREATE INDEX notice_of_subject ON consent.notice (subject_id, tx, seq);
      CREATE INDEX notice_of_consumer ON consent.notice (consumer, tx, seq);
      CREATE INDEX notice_to_purge ON consent.notice (at);
      ${CONFIRM_FUNCTION}
    `,
  },
] as const;
