-- The entities of the last answer of which no record is left.
SELECT e.kind, e.source, e.stream, e.record_id, e.entity_id
FROM {answered} AS e
LEFT JOIN (SELECT DISTINCT entity_id FROM {before}) AS b ON b.entity_id = e.entity_id
WHERE b.entity_id IS NULL
