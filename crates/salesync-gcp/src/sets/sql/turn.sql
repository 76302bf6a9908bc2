-- One turn: every record takes the smallest label of those it is tied to, then that one's own label.
CREATE TABLE {labels_next} AS
WITH turned AS (
  SELECT record, MIN(label) AS label FROM (
    SELECT record, label FROM {labels_now}
    UNION ALL
    SELECT t.one, l.label FROM {ties} AS t JOIN {labels_now} AS l ON l.record = t.other
    UNION ALL
    SELECT t.other, l.label FROM {ties} AS t JOIN {labels_now} AS l ON l.record = t.one
  ) GROUP BY record
)
SELECT t.record, LEAST(t.label, j.label) AS label
FROM turned AS t JOIN turned AS j ON j.record = t.label;

SELECT COUNT(*) FROM {labels_now} AS a JOIN {labels_next} AS b ON b.record = a.record WHERE a.label != b.label
