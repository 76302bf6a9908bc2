WITH latest AS (
  SELECT dead_id, attempt, state, run_id, seen_at
  FROM $schema.dead_letter_events
  WHERE TRUE
  QUALIFY ROW_NUMBER() OVER (PARTITION BY dead_id ORDER BY event DESC) = 1
)
SELECT
  letter.dead_id,
  letter.source,
  letter.stream,
  letter.record_id,
  letter.code,
  letter.field,
  letter.message,
  latest.attempt,
  latest.state,
  letter.run_id,
  latest.run_id AS last_run_id,
  letter.seen_at AS first_seen,
  latest.seen_at AS last_seen,
  letter.payload,
  letter.payload_encoding,
  letter.payload_bytes
FROM $schema.dead_letter_events AS letter
JOIN latest ON latest.dead_id = letter.dead_id
WHERE letter.event = 0
