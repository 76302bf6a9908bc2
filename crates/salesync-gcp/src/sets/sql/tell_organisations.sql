-- Companies: which organisation a domain, name or phone stands for, by the entity that most records put it in. Entities are
-- in the order of their first records, whose numbers have no sign.
INSERT INTO {votes} (what, text, organisation, place, votes)
SELECT v.what, v.text, s.link,
  CONCAT(IF(e.first < 0, '1', '0'), LPAD(CAST(e.first & 9223372036854775807 AS STRING), 19, '0')),
  COUNT(*)
FROM {values} AS v
JOIN {entities} AS e ON e.record = v.record
JOIN {said} AS s ON s.record = e.first
WHERE v.kind = 'company' AND v.what IN ('domain', 'name', 'phone')
GROUP BY v.what, v.text, s.link, e.first;

-- Domains on hardly any record, one typing error from one on many, are that one.
INSERT INTO {domains} (domain, meant)
WITH counted AS (
  SELECT text, COUNT(*) AS n FROM {values} WHERE what = 'domain' GROUP BY text
), spelt AS (
  SELECT text, n, nth, IF(nth = 0, text, CONCAT(SUBSTR(text, 1, nth - 1), SUBSTR(text, nth + 1))) AS spelling
  FROM counted, UNNEST(GENERATE_ARRAY(0, LENGTH(text))) AS nth
  WHERE BYTE_LENGTH(text) >= @telling AND (n >= @common OR n <= @rare)
), common AS (
  SELECT spelling, MIN(text) AS text FROM spelt WHERE n >= @common GROUP BY spelling
), near AS (
  SELECT r.text, c.text AS other
  FROM spelt AS r JOIN common AS c ON c.spelling = r.spelling
  WHERE r.n <= @rare
  QUALIFY ROW_NUMBER() OVER (PARTITION BY r.text ORDER BY r.nth) = 1
), turned AS (
  SELECT DISTINCT text
  FROM near, UNNEST(GENERATE_ARRAY(1, LENGTH(text) - 1)) AS nth
  WHERE CONCAT(SUBSTR(text, 1, nth - 1), SUBSTR(text, nth + 1, 1), SUBSTR(text, nth, 1), SUBSTR(text, nth + 2)) = other
), meant AS (
  SELECT near.text, near.other
  FROM near LEFT JOIN turned ON turned.text = near.text
  WHERE EDIT_DISTANCE(near.text, near.other) <= 1 OR turned.text IS NOT NULL
)
SELECT counted.text, IFNULL(meant.other, counted.text)
FROM counted LEFT JOIN meant ON meant.text = counted.text;

-- What each domain stands for: its companies' organisation, that of the domain that is meant, or one of its own.
INSERT INTO {organisations} (what, text, organisation, place)
WITH own AS (
  SELECT text, organisation, place FROM {votes} WHERE what = 'domain'
  QUALIFY ROW_NUMBER() OVER (PARTITION BY text ORDER BY votes DESC, place) = 1
), meant AS (
  SELECT d.meant, d.first, COALESCE(m.organisation, f.organisation, d.meant) AS organisation,
    COALESCE(m.place, f.place, CONCAT('2', d.first)) AS place
  FROM (SELECT meant, MIN(domain) AS first FROM {domains} GROUP BY meant) AS d
  LEFT JOIN own AS m ON m.text = d.meant
  LEFT JOIN own AS f ON f.text = d.first
)
SELECT 'domain', d.domain, IFNULL(o.organisation, m.organisation), IFNULL(o.place, m.place)
FROM {domains} AS d
JOIN meant AS m ON m.meant = d.meant
LEFT JOIN own AS o ON o.text = d.domain;

-- What each name stands for: the organisation of the companies that bear it and of the people whose employer it is.
INSERT INTO {votes} (what, text, organisation, place, votes)
SELECT 'name', e.text, o.organisation, o.place, COUNT(*)
FROM {values} AS e
JOIN {values} AS d ON d.record = e.record AND d.what = 'domain' AND d.kind = 'person'
JOIN {organisations} AS o ON o.what = 'domain' AND o.text = d.text
WHERE e.what = 'employer'
GROUP BY e.text, o.organisation, o.place;

INSERT INTO {organisations} (what, text, organisation, place)
WITH added AS (
  SELECT what, text, organisation, MIN(place) AS place, SUM(votes) AS votes
  FROM {votes} WHERE what IN ('name', 'phone') GROUP BY what, text, organisation
), ranked AS (
  SELECT what, text, organisation, place, votes,
    SUM(votes) OVER (PARTITION BY what, text) AS cast_at_all,
    ROW_NUMBER() OVER (PARTITION BY what, text ORDER BY votes DESC, place) AS nth
  FROM added
)
SELECT what, text, organisation, place FROM ranked
WHERE nth = 1 AND votes * 100 >= cast_at_all * IF(what = 'name', @dominant, 100);

INSERT INTO {facts} (field, text, number, organisation)
SELECT CONCAT('organisation_of_', what), text, 0.0, organisation FROM {organisations} WHERE organisation != text
UNION ALL
SELECT 'organisation_of_link', s.link, 0.0, f.link
FROM {entities} AS e JOIN {said} AS s ON s.record = e.record JOIN {said} AS f ON f.record = e.first
WHERE e.kind = 'company' AND s.link != f.link;

-- What people's records ask for, slot by slot.
CREATE TABLE {told} CLUSTER BY slot AS
SELECT DISTINCT s.slot, f.field, f.text, f.number, f.organisation
FROM {asks} AS a
JOIN {said} AS s ON s.record = a.record
JOIN {facts} AS f ON f.field = a.field AND f.text = a.text
WHERE a.look = 1 AND a.kind = 'person'
UNION DISTINCT
SELECT s.slot, a.field, l.text, 1.0, CAST(NULL AS STRING)
FROM {asks} AS a
JOIN {said} AS s ON s.record = a.record
JOIN {labels} AS l ON l.label = a.text
WHERE a.look = 1 AND a.kind = 'person' AND a.field = 'known_company'
