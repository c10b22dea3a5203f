/**
 * The one round trip in which the gateway's confirmation is answered and counted, as a function inside PostgreSQL.
 *
 * A function, because one statement would not do: it sees the uses as of its start, so two confirmations that wait for each
 * other's row would both count from the old number. Each statement of a VOLATILE function sees what was committed before
 * that statement, and the uses of a consent are only ever written under the lock of its row, so the count is exact.
 * Rows are locked in the order of their ids, so that confirmations of several consents cannot wait for each other in a ring.
 *
 * `in_force_until`: a consent must not expire before this moment (the confirmation is relied on that long).
 * `same_since`: a use counted after this moment by the same request is that use, confirmed again.
 * Rows: a consent and why it is refused (null: it holds); ids without a row are unknown to the consumer; the one row
 * (null, 'CONFLICT') says that the request was made before with another content, and then nothing was counted.
 */
export const CONFIRM_FUNCTION = `
  CREATE FUNCTION consent.confirm(
    asked uuid[], by_consumer text, for_request text, with_digest text, allow_standing boolean,
    at timestamptz, in_force_until timestamptz, day_start timestamptz, month_start timestamptz, same_since timestamptz
  ) RETURNS TABLE (consent_id uuid, refusal text) LANGUAGE plpgsql AS $function$
  DECLARE
    held record;
    known_digest text;
    uses bigint;
  BEGIN
    IF EXISTS (
      SELECT FROM consent.artefact a
      WHERE a.id = ANY(asked) AND a.consumer = by_consumer AND a.subject_id <> '*'
    ) THEN
      INSERT INTO consent.request (consumer, request, digest, first_at)
        VALUES (by_consumer, for_request, with_digest, at) ON CONFLICT DO NOTHING;
      SELECT r.digest INTO known_digest FROM consent.request r
        WHERE r.consumer = by_consumer AND r.request = for_request;
      IF known_digest IS DISTINCT FROM with_digest THEN
        consent_id := NULL;
        refusal := 'CONFLICT';
        RETURN NEXT;
        RETURN;
      END IF;
    END IF;

    -- The standing grants of a sandbox, which all its requests share: neither locked nor counted.
    IF allow_standing THEN
      RETURN QUERY SELECT a.id, CASE WHEN a.expires_at <= in_force_until THEN 'EXPIRED' END FROM consent.artefact a
        WHERE a.id = ANY(asked) AND a.consumer = by_consumer AND a.subject_id = '*' AND a.state = 'ACTIVE';
    END IF;

    FOR held IN
      SELECT a.subject_id, a.id, a.state, a.expires_at, a.frequency_times, a.frequency_per FROM consent.artefact a
      WHERE a.id = ANY(asked) AND a.consumer = by_consumer AND a.subject_id <> '*'
      ORDER BY a.id FOR NO KEY UPDATE
    LOOP
      consent_id := held.id;
      refusal := CASE
        WHEN held.state = 'REVOKED' THEN 'REVOKED'
        WHEN held.expires_at <= in_force_until THEN 'EXPIRED'
        WHEN held.state = 'PAUSED' THEN 'PAUSED'
      END;
      IF refusal IS NULL AND NOT EXISTS (
        SELECT FROM consent.use u
        WHERE u.subject_id = held.subject_id AND u.consent_id = held.id AND u.request = for_request AND u.used_at > same_since
      ) THEN
        SELECT count(*) INTO uses FROM consent.use u
          WHERE u.subject_id = held.subject_id AND u.consent_id = held.id AND u.used_at >= CASE held.frequency_per
            WHEN 'DAY' THEN day_start WHEN 'MONTH' THEN month_start ELSE '-infinity'::timestamptz END;
        IF uses >= coalesce(held.frequency_times, 0) THEN
          refusal := 'FREQUENCY';
        ELSE
          INSERT INTO consent.use (subject_id, consent_id, request, used_at)
            VALUES (held.subject_id, held.id, for_request, at) ON CONFLICT DO NOTHING;
          UPDATE consent.artefact a SET use_count = a.use_count + 1, last_used_at = at
            WHERE a.subject_id = held.subject_id AND a.id = held.id;
          IF uses + 1 >= held.frequency_times THEN
            INSERT INTO consent.notice (subject_id, consumer, kind, consent_id, at)
              VALUES (held.subject_id, by_consumer, 'USED_UP', held.id, at);
          END IF;
        END IF;
      END IF;
      RETURN NEXT;
    END LOOP;
  END
  $function$;`;
