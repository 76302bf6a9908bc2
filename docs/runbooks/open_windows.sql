-- The windows that name a gap and that no later run has read again, or gone on in, to its end. Works in both warehouses:
--   bq --project_id=$PROJECT --dataset_id=$TENANT query --use_legacy_sql=false < docs/runbooks/open_windows.sql
--   (echo 'USE sales;' && cat docs/runbooks/open_windows.sql) | duckdb -readonly salesync.duckdb
SELECT gap.source, gap.stream, gap.part, gap.lo, gap.hi, gap.expected, gap.delivered, gap.moved_out, gap.run_id
FROM sync_windows AS gap
WHERE gap.proven_at IS NULL
  AND NOT EXISTS (
    SELECT 1
    FROM sync_windows AS later
    WHERE later.source = gap.source
      AND later.stream = gap.stream
      AND COALESCE(later.part, '') = COALESCE(gap.part, '')
      AND later.run_id > gap.run_id
      AND later.proven_at IS NOT NULL
      AND (
        -- read again from its beginning or earlier; what followed has a row of its own
        (later.lo <= gap.lo AND later.hi >= gap.lo)
        -- or cut off, and gone on in
        OR (later.hi = gap.hi AND later.lo >= gap.lo)
      )
  )
ORDER BY gap.hi DESC, gap.source, gap.stream;
