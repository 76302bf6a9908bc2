-- Which records are in which part: a part tells all that is tied together, and has beside it what is nearly tied to that.
CREATE TABLE {members} AS
WITH grouped AS (
  SELECT s.record, IFNULL(l.label, s.record) AS label
  FROM {said} AS s LEFT JOIN {labels_now} AS l ON l.record = s.record
  WHERE s.kind = @kind
), near AS (
  SELECT DISTINCT ABS(MOD(mine, @parts)) AS part, theirs FROM (
    SELECT a.label AS mine, b.label AS theirs
    FROM {edges} AS e JOIN grouped AS a ON a.record = e.one JOIN grouped AS b ON b.record = e.other
    WHERE e.kind = @kind AND a.label != b.label
    UNION ALL
    SELECT b.label, a.label
    FROM {edges} AS e JOIN grouped AS a ON a.record = e.one JOIN grouped AS b ON b.record = e.other
    WHERE e.kind = @kind AND a.label != b.label
  ) WHERE ABS(MOD(mine, @parts)) != ABS(MOD(theirs, @parts))
)
SELECT ABS(MOD(label, @parts)) AS part, record, 1 AS is_told FROM grouped
UNION ALL
SELECT n.part, g.record, 0 FROM near AS n JOIN grouped AS g ON g.label = n.theirs;

-- All that is to be known of each part, row by row.
CREATE TABLE {parts} CLUSTER BY part AS
SELECT m.part, 'record' AS what, m.record, 0 AS other, m.is_told AS count, 0.0 AS number, s.says AS text, IFNULL(l.derived, '') AS more
FROM {members} AS m JOIN {said} AS s ON s.record = m.record JOIN {looks} AS l ON l.record = m.record
UNION ALL
SELECT a.part, 'edge', e.one, e.other, 0, e.bits, e.met_by, ''
FROM {edges} AS e JOIN {members} AS a ON a.record = e.one JOIN {members} AS b ON b.record = e.other AND b.part = a.part
WHERE e.kind = @kind
UNION ALL
SELECT DISTINCT m.part, 'use', k.key_number, s.records,
  IF(l.key_number IS NULL, IFNULL(u.users, 1), GREATEST(IFNULL(u.users, 1), @line_users)), 0.0, '', ''
FROM {members} AS m
JOIN {keys} AS k ON k.record = m.record
JOIN {uses} AS s ON s.kind = k.kind AND s.key_kind = k.key_kind AND s.key_number = k.key_number
LEFT JOIN {users} AS u ON u.key_number = k.key_number
LEFT JOIN (SELECT DISTINCT key_number FROM {lines}) AS l ON l.key_number = k.key_number
WHERE k.kind = @kind AND k.key_kind IN ('mailbox', 'phone', 'domain', 'full_name')
UNION ALL
SELECT DISTINCT m.part, 'fact', 0, 0, 0, f.number, CONCAT(f.field, ' ', IFNULL(f.organisation, '')), f.text
FROM {members} AS m
JOIN {asks} AS a ON a.record = m.record
JOIN {facts} AS f ON f.field = a.field AND f.text = a.text
WHERE a.kind = @kind AND a.look = @look
UNION ALL
SELECT DISTINCT m.part, 'switchboard', 0, 0, 0, 0.0, v.text, ''
FROM {members} AS m
JOIN {values} AS v ON v.record = m.record
JOIN {values} AS c ON c.text = v.text
WHERE v.kind = 'person' AND v.what = 'phone' AND c.kind = 'company' AND c.what = 'phone' AND @kind = 'person'
UNION ALL
SELECT DISTINCT m.part, 'employer', 0, 0, 0, 0.0, v.text, e.entity_id
FROM {members} AS m
JOIN {values} AS v ON v.record = m.record
JOIN {said} AS s ON s.link = v.text
JOIN {entities} AS e ON e.record = s.record AND e.first = e.record
WHERE v.kind = 'person' AND v.what = 'organisation' AND e.kind = 'company' AND @kind = 'person'
UNION ALL
SELECT m.part, 'before', b.record, 0, IFNULL(c.at_micros, 0), 0.0, b.entity_id, ''
FROM {members} AS m
JOIN {before} AS b ON b.record = m.record
LEFT JOIN {created} AS c ON c.entity_id = b.entity_id
UNION ALL
SELECT m.part, 'taken', 0, 0, c.at_micros, 0.0, s.first_id, ''
FROM {members} AS m
JOIN {said} AS s ON s.record = m.record
JOIN {created} AS c ON c.entity_id = s.first_id
