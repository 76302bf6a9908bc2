-- The domain that more than half of those people have who share a phone with a company.
INSERT INTO {facts} (field, text, number, organisation)
WITH seen AS (
  SELECT l.text, l.one AS domain, COUNT(*) AS n
  FROM {values} AS l
  JOIN (SELECT DISTINCT text FROM {values} WHERE kind = 'company' AND what = 'phone') AS p ON p.text = l.text
  WHERE l.kind = 'person' AND l.what = 'line'
  GROUP BY l.text, l.one
), ranked AS (
  SELECT text, domain, n, SUM(n) OVER (PARTITION BY text) AS seen_at_all FROM seen
)
SELECT 'domain_of_phone', text, 0.0, domain FROM ranked WHERE n * 2 > seen_at_all;

-- How often each text comes on companies' records, where it is more than once. Of a name, anywhere or at a place, that is as
-- many companies as it has domains, or phones where it has none; of the first word of names as many as there are names.
CREATE TABLE {counts_company} AS
WITH firsts AS (
  SELECT record, what, text FROM {values} WHERE kind = 'company' AND what IN ('domain', 'phone') AND nth = 0
), lent AS (
  SELECT p.record, 'domain' AS what, f.organisation AS text
  FROM firsts AS p
  JOIN {facts} AS f ON f.field = 'domain_of_phone' AND f.text = p.text
  LEFT JOIN (SELECT record FROM firsts WHERE what = 'domain') AS d ON d.record = p.record
  WHERE p.what = 'phone' AND d.record IS NULL
), told AS (
  SELECT n.text, COUNT(DISTINCT IF(t.what = 'domain', t.text, NULL)) AS domains,
    COUNT(DISTINCT IF(t.what = 'phone', t.text, NULL)) AS phones
  FROM {values} AS n
  JOIN (SELECT * FROM firsts UNION ALL SELECT * FROM lent) AS t ON t.record = n.record
  WHERE n.kind = 'company' AND n.what IN ('name', 'name_at')
  GROUP BY n.text
)
SELECT 'company_name' AS field, text, IF(domains > 0, domains, phones) AS times
FROM told WHERE IF(domains > 0, domains, phones) > 1
UNION ALL
SELECT 'first_word', two, COUNT(*)
FROM (SELECT DISTINCT one, two FROM {values} WHERE kind = 'company' AND what = 'name' AND two != '')
GROUP BY two HAVING COUNT(*) > 1
UNION ALL
SELECT CONCAT('company_', what), text, COUNT(*)
FROM {values} WHERE kind = 'company' AND what IN ('postal_code', 'city')
GROUP BY what, text HAVING COUNT(*) > 1;

SELECT DISTINCT field, times FROM {counts_company}
