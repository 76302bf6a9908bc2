-- How often each text comes on companies' records, where it is more than once. Of a name that is as many companies as it
-- has domains, of the first word of names as many as there are names.
CREATE TABLE {counts_company} AS
SELECT 'company_name' AS field, n.text, COUNT(DISTINCT d.text) AS times
FROM {values} AS n JOIN {values} AS d ON d.record = n.record
WHERE n.kind = 'company' AND n.what = 'name' AND d.kind = 'company' AND d.what = 'domain' AND d.nth = 0
GROUP BY n.text HAVING COUNT(DISTINCT d.text) > 1
UNION ALL
SELECT 'first_word', two, COUNT(*)
FROM (SELECT DISTINCT one, two FROM {values} WHERE kind = 'company' AND what = 'name' AND two != '')
GROUP BY two HAVING COUNT(*) > 1
UNION ALL
SELECT CONCAT('company_', what), text, COUNT(*)
FROM {values} WHERE kind = 'company' AND what IN ('postal_code', 'city')
GROUP BY what, text HAVING COUNT(*) > 1;

SELECT DISTINCT field, times FROM {counts_company}
