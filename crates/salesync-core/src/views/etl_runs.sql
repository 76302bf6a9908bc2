WITH latest AS (
  SELECT *
  FROM $schema.etl_run_events
  WHERE TRUE
  QUALIFY ROW_NUMBER() OVER (PARTITION BY run_id, source, stream ORDER BY event DESC) = 1
),
followed AS (
  SELECT run_id, source, stream
  FROM latest
  WHERE TRUE
  QUALIFY LEAD(run_id) OVER (PARTITION BY source, stream ORDER BY started_at, run_id) IS NOT NULL
)
SELECT latest.* REPLACE (
  CASE
    WHEN latest.status = 'running' AND followed.run_id IS NOT NULL THEN 'abandoned'
    ELSE latest.status
  END AS status
)
FROM latest
LEFT JOIN followed
  ON followed.run_id = latest.run_id
  AND followed.source = latest.source
  AND followed.stream = latest.stream