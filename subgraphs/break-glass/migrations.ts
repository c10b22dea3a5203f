/** Emergency accesses, keyed by subject first, so that a distributed PostgreSQL can shard them as they are. */
export const MIGRATIONS = [
  {
    id: '0001-release',
    sql: `
      CREATE SCHEMA IF NOT EXISTS break_glass;
      CREATE TABLE break_glass.release (
        subject_id text NOT NULL,
        id uuid NOT NULL,
        officer text NOT NULL,
        department text NOT NULL,
        items text[] NOT NULL,
        reason text NOT NULL,
        -- SM3 over id and reason: stands where the reason itself must not.
        reason_digest text NOT NULL,
        opened_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        closed_at timestamptz,
        review_due_at timestamptz NOT NULL,
        verdict text CHECK (verdict IN ('JUSTIFIED', 'UNJUSTIFIED')),
        note text,
        reviewed_by text,
        reviewed_at timestamptz,
        PRIMARY KEY (subject_id, id),
        CHECK ((verdict IS NULL) = (reviewed_by IS NULL) AND (verdict IS NULL) = (reviewed_at IS NULL)),
        -- Nobody judges their own.
        CHECK (reviewed_by <> officer)
      );
      CREATE INDEX release_of_officer ON break_glass.release (officer, opened_at);
      CREATE INDEX release_id ON break_glass.release (id);
      -- What waits for a review: it stays here until there is one.
      CREATE INDEX release_unreviewed ON break_glass.release (review_due_at, id) WHERE verdict IS NULL;

      -- Writes a release, or says why this officer opens none now. One officer after the other: two that are opened at the
      -- same moment would each be counted without the other. Every statement of a function sees what was committed before it.
      CREATE FUNCTION break_glass.open(
        subject_id text, id uuid, by_officer text, department text, items text[], reason text, reason_digest text,
        now timestamptz, expires_at timestamptz, review_due_at timestamptz, most_open integer, barred_since timestamptz
      ) RETURNS text LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM pg_advisory_xact_lock(hashtextextended('jinxin break-glass ' || by_officer, 0));
        IF EXISTS (SELECT FROM break_glass.release r
                   WHERE r.officer = by_officer AND r.verdict IS NULL AND r.review_due_at <= now) THEN
          RETURN 'OVERDUE';
        END IF;
        IF EXISTS (SELECT FROM break_glass.release r
                   WHERE r.officer = by_officer AND r.verdict = 'UNJUSTIFIED' AND r.reviewed_at > barred_since) THEN
          RETURN 'UNJUSTIFIED';
        END IF;
        IF (SELECT count(*) FROM break_glass.release r
            WHERE r.officer = by_officer AND r.closed_at IS NULL AND r.expires_at > now) >= most_open THEN
          RETURN 'TOO_MANY_OPEN';
        END IF;
        INSERT INTO break_glass.release (subject_id, id, officer, department, items, reason, reason_digest, opened_at,
          expires_at, review_due_at)
        VALUES (subject_id, id, by_officer, department, items, reason, reason_digest, now, expires_at, review_due_at);
        RETURN 'OPENED';
      END $$;
    `,
  },
] as const;
