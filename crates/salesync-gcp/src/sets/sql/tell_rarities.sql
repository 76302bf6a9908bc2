-- What each text is worth that comes more than once, and which keys several records share.
INSERT INTO {facts} (field, text, number, organisation)
SELECT c.field, c.text, r.bits, CAST(NULL AS STRING)
FROM {counts} AS c JOIN {rates} AS r ON r.field = c.field AND r.times = c.times;

INSERT INTO {uses} (kind, key_kind, key_number, records)
SELECT kind, key_kind, key_number, COUNT(*)
FROM {keys} WHERE kind = @kind
GROUP BY kind, key_kind, key_number HAVING COUNT(*) > 1
