-- What speaks for being one, or nearly does, in the place of what was weighed before.
DELETE FROM {edges} WHERE kind = @kind;

INSERT INTO {edges} (kind, one, other, met_by, bits)
SELECT @kind, a.one, a.other, p.met_by, a.bits
FROM (
  SELECT CAST(SPLIT(line, ' ')[OFFSET(0)] AS INT64) AS one, CAST(SPLIT(line, ' ')[OFFSET(1)] AS INT64) AS other,
    CAST(SPLIT(line, ' ')[OFFSET(2)] AS FLOAT64) AS bits
  FROM {answers}
) AS a
JOIN {pairs} AS p ON p.one = LEAST(a.one, a.other) AND p.other = GREATEST(a.one, a.other);

SELECT COUNTIF(bits >= @accept) FROM {edges} WHERE kind = @kind
