-- What ties records together: pairs that speak for being one, decisions, and the last answer.
CREATE TABLE {ties} AS
SELECT one, other FROM {edges} WHERE kind = @kind AND bits >= @accept
UNION ALL
SELECT d.one, d.other FROM {decided} AS d
JOIN {said} AS a ON a.record = d.one JOIN {said} AS b ON b.record = d.other
WHERE d.kind = @kind
UNION ALL
SELECT f.first, b.record
FROM {before} AS b
JOIN (SELECT entity_id, MIN(record) AS first FROM {before} WHERE kind = @kind GROUP BY entity_id) AS f ON f.entity_id = b.entity_id
WHERE b.kind = @kind AND b.record != f.first;

CREATE TABLE {labels_now} AS
SELECT DISTINCT record, record AS label FROM {ties}, UNNEST([one, other]) AS record
