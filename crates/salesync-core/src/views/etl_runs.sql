WITH latest AS (
  SELECT *
  FROM $schema.etl_run_events
  WHERE TRUE
  QUALIFY ROW_NUMBER() OVER (PARTITION BY run_id, source, stream ORDER BY event DESC) = 1
)
SELECT * REPLACE (
  CASE
    WHEN status = 'running'
      AND LEAD(run_id) OVER (PARTITION BY source, stream ORDER BY started_at, run_id) IS NOT NULL
    THEN 'abandoned'
    ELSE status
  END AS status
)
FROM latest
