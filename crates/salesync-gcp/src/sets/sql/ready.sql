-- What a question gives of each record of a kind: the record, the facts that it asks for, and how its keys are used. A phone
-- that is on a company's record is used by many.
CREATE TABLE {ready} CLUSTER BY record AS
WITH known AS (
  SELECT a.record,
    STRING_AGG(CONCAT('["', f.field, '",', TO_JSON_STRING(f.text), ',', CAST(f.number AS STRING), ',',
      TO_JSON_STRING(IFNULL(f.organisation, '')), ']'), ',') AS facts
  FROM {asks} AS a JOIN {facts} AS f ON f.field = a.field AND f.text = a.text
  WHERE a.kind = @kind AND a.look = @look
  GROUP BY a.record
), used AS (
  SELECT k.record,
    STRING_AGG(CONCAT('[', CAST(k.key_number AS STRING), ',', CAST(s.records AS STRING), ',',
      CAST(IF(l.key_number IS NULL OR NOT @with_lines, IFNULL(u.users, 1), GREATEST(IFNULL(u.users, 1), @line_users)) AS STRING), ']'), ',') AS uses
  FROM {keys} AS k
  JOIN {uses} AS s ON s.kind = k.kind AND s.key_kind = k.key_kind AND s.key_number = k.key_number
  LEFT JOIN {users} AS u ON u.key_number = k.key_number
  LEFT JOIN (SELECT DISTINCT key_number FROM {lines}) AS l ON l.key_number = k.key_number
  WHERE k.kind = @kind AND @with_uses AND k.key_kind IN ('mailbox', 'phone', 'domain', 'full_name')
  GROUP BY k.record
)
SELECT l.record, CONCAT('{"row":', l.row, ',"facts":[', IFNULL(known.facts, ''), '],"uses":[', IFNULL(used.uses, ''), ']}') AS written
FROM {looks} AS l
LEFT JOIN known ON known.record = l.record
LEFT JOIN used ON used.record = l.record
WHERE l.kind = @kind
