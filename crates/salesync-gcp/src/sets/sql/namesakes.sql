-- Neighbours among those that bear one name. Names are looked at in steps, by the number of the first who bears one.
CREATE TABLE {asked} AS
WITH named AS (
  SELECT k.key_number, k.record, s.records AS n,
    ROW_NUMBER() OVER (PARTITION BY k.key_number ORDER BY l.last, l.first, 0 > l.record, l.record) AS nth
  FROM {keys} AS k
  JOIN {uses} AS s ON s.kind = k.kind AND s.key_kind = k.key_kind AND s.key_number = k.key_number
  JOIN {looks} AS l ON l.record = k.record
  WHERE k.kind = 'person' AND k.key_kind = 'full_name'
), looked_at AS (
  SELECT key_number FROM named
  WHERE nth = 1 AND IF(0 > record, MOD(MOD(record, @step) + @step + @wrap, @step), MOD(record, @step)) = 0
)
SELECT ABS(MOD(a.record, @batches)) AS batch, a.record AS one, b.record AS other,
  LEAST(IF(a.n <= @near, DIV(a.n * (a.n - 1), 2), @near * a.n - DIV(@near * (@near + 1), 2)), 4294967295) AS looked_at,
  LEAST(DIV(a.n * (a.n - 1), 2), 4294967295) AS pairs
FROM looked_at AS f
JOIN named AS a ON a.key_number = f.key_number
CROSS JOIN UNNEST(GENERATE_ARRAY(1, @near)) AS step
JOIN named AS b ON b.key_number = a.key_number AND b.nth = a.nth + step
