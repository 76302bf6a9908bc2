-- How often each text comes on companies' records, where it is more than once. Of a name that is as many companies as it
-- has domains, or phones where it has none; of the first word of names as many as there are names.
CREATE TABLE {counts_company} AS
WITH told AS (
  SELECT n.text, COUNT(DISTINCT IF(t.what = 'domain', t.text, NULL)) AS domains,
    COUNT(DISTINCT IF(t.what = 'phone', t.text, NULL)) AS phones
  FROM {values} AS n JOIN {values} AS t ON t.record = n.record
  WHERE n.kind = 'company' AND n.what = 'name' AND t.kind = 'company' AND t.what IN ('domain', 'phone') AND t.nth = 0
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
