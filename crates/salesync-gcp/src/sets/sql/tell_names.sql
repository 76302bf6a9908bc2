-- What is known as a company's name: those of companies, and of people's employers.
INSERT INTO {facts} (field, text, number, organisation)
SELECT DISTINCT 'known_company', text, 1.0, CAST(NULL AS STRING)
FROM {values}
WHERE (kind = 'company' AND what = 'name') OR (kind = 'person' AND what = 'employer')
UNION ALL
SELECT 'employer', text, CAST(COUNT(*) AS FLOAT64), CAST(NULL AS STRING)
FROM {values} WHERE kind = 'person' AND what = 'employer'
GROUP BY text HAVING COUNT(*) >= @several;

-- The labels that read as a known company's name, or as how one begins.
INSERT INTO {labels} (label, text)
SELECT l.text, f.text
FROM (SELECT DISTINCT text FROM {values} WHERE what = 'label') AS l
JOIN {facts} AS f ON f.field = 'known_company' AND f.text = l.text
UNION ALL
SELECT l.text, MIN(f.text)
FROM (
  SELECT DISTINCT text, LEFT(text, @telling) AS stem
  FROM {values} WHERE what = 'label' AND BYTE_LENGTH(text) >= @telling
) AS l
JOIN (
  SELECT text, LEFT(text, @telling) AS stem FROM {facts} WHERE field = 'known_company'
) AS f ON f.stem = l.stem AND STARTS_WITH(f.text, l.text) AND f.text != l.text
GROUP BY l.text;

-- The whole names of people, but of records that name a company.
INSERT INTO {facts} (field, text, number, organisation)
WITH companies AS (
  SELECT DISTINCT l.record
  FROM {values} AS l
  LEFT JOIN (SELECT DISTINCT label FROM {labels} WHERE text = label) AS k ON k.label = l.text
  LEFT JOIN (SELECT DISTINCT label FROM {labels}) AS b ON b.label = l.text
  LEFT JOIN (SELECT text FROM {facts} WHERE field = 'employer') AS e ON e.text = l.text
  WHERE l.what = 'label' AND CASE
    WHEN l.one != '' THEN b.label IS NOT NULL
    ELSE e.text IS NOT NULL OR (l.two != '' AND k.label IS NOT NULL)
  END
), named AS (
  SELECT n.text AS first, n.one AS last
  FROM {values} AS n LEFT JOIN companies AS c ON c.record = n.record
  WHERE n.what = 'whole_name' AND c.record IS NULL
)
SELECT DISTINCT 'known_given_name', first, 1.0, CAST(NULL AS STRING) FROM named
UNION ALL
SELECT DISTINCT 'known_surname', last, 1.0, CAST(NULL AS STRING) FROM named
