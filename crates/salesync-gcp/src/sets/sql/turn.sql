-- One turn: every record, and the record that its label names, take the smallest label that either of two tied records
-- has; then every record takes the label of its label. So chains get shorter by a factor, whatever their order.
CREATE TABLE {labels_next} AS
WITH turned AS (
  SELECT record, MIN(label) AS label FROM (
    SELECT record, label FROM {labels_now}
    UNION ALL
    SELECT t.one, l.label FROM {ties} AS t JOIN {labels_now} AS l ON l.record = t.other
    UNION ALL
    SELECT t.other, l.label FROM {ties} AS t JOIN {labels_now} AS l ON l.record = t.one
    UNION ALL
    SELECT a.label, b.label FROM {ties} AS t JOIN {labels_now} AS a ON a.record = t.one JOIN {labels_now} AS b ON b.record = t.other
    UNION ALL
    SELECT b.label, a.label FROM {ties} AS t JOIN {labels_now} AS a ON a.record = t.one JOIN {labels_now} AS b ON b.record = t.other
  ) GROUP BY record
)
SELECT t.record, LEAST(t.label, j.label) AS label
FROM turned AS t JOIN turned AS j ON j.record = t.label;

SELECT COUNT(*) FROM {labels_now} AS a JOIN {labels_next} AS b ON b.record = a.record WHERE a.label != b.label
