WITH entity AS (
  SELECT entity_id, COUNT(*) AS record_count, COUNT(DISTINCT source) AS source_count
  FROM $schema.entity_records
  GROUP BY entity_id
)
SELECT
  record.kind,
  record.source,
  record.stream,
  COUNT(*) AS records,
  COUNT(CASE WHEN entity.record_count > 1 THEN 1 END) AS matched,
  COUNT(CASE WHEN entity.source_count > 1 THEN 1 END) AS matched_across_sources,
  COUNT(record.email_match) AS with_email,
  COUNT(CASE WHEN record.email_match THEN 1 END) AS email_matched,
  COUNT(record.phone_match) AS with_phone,
  COUNT(CASE WHEN record.phone_match THEN 1 END) AS phone_matched,
  COUNT(CASE WHEN entity.record_count > 1 THEN 1 END) / COUNT(*) AS match_rate,
  COUNT(CASE WHEN entity.source_count > 1 THEN 1 END) / COUNT(*) AS cross_source_match_rate,
  COUNT(CASE WHEN record.email_match THEN 1 END) / COUNT(*) AS email_match_rate,
  COUNT(CASE WHEN record.phone_match THEN 1 END) / COUNT(*) AS phone_match_rate
FROM $schema.entity_records AS record
JOIN entity ON entity.entity_id = record.entity_id
GROUP BY record.kind, record.source, record.stream
