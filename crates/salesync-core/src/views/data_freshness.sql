WITH part_state AS (
  SELECT
    source,
    stream,
    TIMESTAMP_MICROS(CAST(JSON_VALUE(cursor, '$.complete_to') AS INT64)) AS complete_to,
    committed_at
  FROM $schema.sync_state
  WHERE slot = 'incremental'
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY source, stream, part ORDER BY generation DESC, epoch DESC, seq DESC, run_id DESC
  ) = 1
),
current_state AS (
  SELECT
    source,
    stream,
    CASE WHEN COUNT(complete_to) = COUNT(*) THEN MIN(complete_to) END AS complete_to,
    MAX(committed_at) AS committed_at
  FROM part_state
  GROUP BY source, stream
),
last_run AS (
  SELECT source, stream, status, code
  FROM $schema.etl_runs
  WHERE TRUE
  QUALIFY ROW_NUMBER() OVER (PARTITION BY source, stream ORDER BY started_at DESC, run_id DESC) = 1
),
last_success AS (
  SELECT source, stream, run_id, ended_at
  FROM $schema.etl_runs
  WHERE status = 'succeeded'
  QUALIFY ROW_NUMBER() OVER (PARTITION BY source, stream ORDER BY started_at DESC, run_id DESC) = 1
)
SELECT
  current_state.source,
  current_state.stream,
  current_state.complete_to,
  current_state.committed_at,
  last_success.run_id AS last_succeeded_run_id,
  last_success.ended_at AS last_succeeded_at,
  last_run.status AS last_status,
  last_run.code AS last_code
FROM current_state
LEFT JOIN last_run
  ON last_run.source = current_state.source AND last_run.stream = current_state.stream
LEFT JOIN last_success
  ON last_success.source = current_state.source AND last_success.stream = current_state.stream
