-- Every pair once, with the first kind of key in which it met.
CREATE TABLE {pairs} CLUSTER BY batch AS
SELECT ABS(MOD(one, @batches)) AS batch, one, other, SPLIT(@key_kinds, ',')[OFFSET(MIN(met))] AS met_by
FROM {met} GROUP BY one, other;

SELECT COUNT(*) FROM {pairs}
