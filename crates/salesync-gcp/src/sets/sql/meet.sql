-- Who meets under a kind of key: all, up to the cap; where more share it, those that share a name as well.
INSERT INTO {met} (one, other, met)
WITH block AS (
  SELECT k.key_number, k.record, s.records AS n
  FROM {keys} AS k
  JOIN {uses} AS s ON s.kind = k.kind AND s.key_kind = k.key_kind AND s.key_number = k.key_number
  WHERE k.kind = @kind AND k.key_kind = @key_kind
), named AS (
  SELECT b.key_number, b.record, l.last, l.first, part, IF(part = 1, l.name_one, l.name_two) AS name
  FROM block AS b JOIN {looks} AS l ON l.record = b.record, UNNEST([1, 2]) AS part
  WHERE b.n > @cap AND NOT @of_names
), crowd AS (
  SELECT key_number, record, part, name,
    COUNT(*) OVER (PARTITION BY key_number, part, name) AS n,
    ROW_NUMBER() OVER (PARTITION BY key_number, part, name ORDER BY last, first, 0 > record, record) AS nth
  FROM named
)
SELECT a.record, b.record, @met
FROM block AS a JOIN block AS b ON b.key_number = a.key_number AND a.record < b.record
WHERE a.n <= @cap
UNION ALL
SELECT LEAST(a.record, b.record), GREATEST(a.record, b.record), @met
FROM crowd AS a
CROSS JOIN UNNEST(GENERATE_ARRAY(1, IF(a.n <= @cap, @cap, @window))) AS step
JOIN crowd AS b ON b.key_number = a.key_number AND b.part = a.part AND b.name = a.name AND b.nth = a.nth + step
