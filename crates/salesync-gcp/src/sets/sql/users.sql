-- Of those that share a key and are called the same, the first: who uses the key is told by their names.
CREATE TABLE {asked} AS
WITH named AS (
  SELECT k.key_number, k.record, l.last, l.first
  FROM {keys} AS k
  JOIN {uses} AS s ON s.kind = k.kind AND s.key_kind = k.key_kind AND s.key_number = k.key_number
  JOIN {looks} AS l ON l.record = k.record
  WHERE k.kind = @kind AND k.key_kind = @key_kind AND l.is_named
  QUALIFY ROW_NUMBER() OVER (PARTITION BY k.key_number, l.name_key ORDER BY 0 > k.record, k.record) = 1
)
SELECT ABS(MOD(key_number, @batches)) AS batch, key_number, record
FROM named
WHERE TRUE
QUALIFY ROW_NUMBER() OVER (PARTITION BY key_number ORDER BY last, first, 0 > record, record) <= @most
