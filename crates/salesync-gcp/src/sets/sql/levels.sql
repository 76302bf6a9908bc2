-- Two records with names of those that share a key which no more than one entity is known to use: the first two, or
-- the first and the last.
CREATE TABLE {asked} AS
WITH named AS (
  SELECT k.key_number, k.record,
    ROW_NUMBER() OVER (PARTITION BY k.key_number ORDER BY l.last, l.first, 0 > l.record, l.record) AS nth,
    COUNT(*) OVER (PARTITION BY k.key_number) AS records
  FROM {keys} AS k
  JOIN {uses} AS s ON s.kind = k.kind AND s.key_kind = k.key_kind AND s.key_number = k.key_number
  LEFT JOIN {users} AS u ON u.key_number = k.key_number
  JOIN {looks} AS l ON l.record = k.record
  WHERE k.kind = @kind AND k.key_kind = @key_kind AND IFNULL(u.users, 1) = 1 AND l.is_whole
)
SELECT ABS(MOD(a.key_number, @batches)) AS batch, a.record AS one, b.record AS other
FROM named AS a JOIN named AS b ON b.key_number = a.key_number
WHERE a.nth = 1 AND b.nth > 1 AND b.nth = IF(@last = 1, b.records, 2)
