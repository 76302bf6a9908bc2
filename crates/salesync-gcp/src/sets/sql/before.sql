-- The last answer, by the records that are still there, and when ids were created.
CREATE TABLE {before} AS
SELECT s.kind, s.record, e.entity_id
FROM {published.entity_records} AS e
JOIN {said} AS s ON s.kind = e.kind AND s.source = e.source AND s.stream = e.stream AND s.record_id = e.record_id;

CREATE TABLE {created} AS
SELECT entity_id, MAX(UNIX_MICROS(happened_at)) AS at_micros
FROM {published.entity_history} WHERE event = 'created' GROUP BY entity_id
