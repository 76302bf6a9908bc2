WITH newest AS (
  SELECT *
  FROM $schema.match_override_events
  WHERE TRUE
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY kind, left_source, left_stream, left_id, right_source, right_stream, right_id
    ORDER BY decided_at DESC, run_id DESC
  ) = 1
)
SELECT
  kind,
  left_source,
  left_stream,
  left_id,
  right_source,
  right_stream,
  right_id,
  rule,
  decided_by,
  reason,
  decided_at,
  run_id
FROM newest
WHERE rule <> 'withdrawn'
