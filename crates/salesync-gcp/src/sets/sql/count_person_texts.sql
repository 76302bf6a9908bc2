-- How often each text comes on people's records, where it is more than once; parts of names as often as somebody bears them.
CREATE TABLE {counts_person} AS
WITH bearers AS (SELECT DISTINCT text AS first, one AS last, two AS bearer FROM {values} WHERE what = 'bearer')
SELECT 'given_name' AS field, first AS text, COUNT(*) AS times FROM bearers GROUP BY first HAVING COUNT(*) > 1
UNION ALL
SELECT 'surname', last, COUNT(*) FROM bearers GROUP BY last HAVING COUNT(*) > 1
UNION ALL
SELECT what, text, COUNT(*)
FROM {values} WHERE kind = 'person' AND what IN ('postal_code', 'city', 'birth_date', 'organisation')
GROUP BY what, text HAVING COUNT(*) > 1;

SELECT DISTINCT field, times FROM {counts_person}
