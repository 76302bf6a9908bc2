-- Asks questions, each of one batch.
CREATE TEMP FUNCTION answered(module STRING, question STRING) RETURNS STRING LANGUAGE js AS r"""{javascript}""";

INSERT INTO {answers} (begins, line)
SELECT @begins, line FROM (
  SELECT answered(@module, CONCAT(@head, ',"records":[', IFNULL(r.records, ''), '],"', @what, '":[', l.asked, ']}')) AS said
  FROM (
    SELECT batch, STRING_AGG(line, ',') AS asked FROM {asking} WHERE batch >= @begins AND batch < @ends GROUP BY batch
  ) AS l
  LEFT JOIN (
    SELECT n.batch, STRING_AGG(w.written, ',') AS records
    FROM (SELECT DISTINCT batch, record FROM {needing} WHERE batch >= @begins AND batch < @ends) AS n
    JOIN {ready} AS w ON w.record = n.record
    GROUP BY n.batch
  ) AS r ON r.batch = l.batch
), UNNEST(SPLIT(said, '\n')) AS line
WHERE line != ''
