-- Facts, of which it is asked under which number each is kept.
CREATE TABLE {asked} AS
SELECT MOD(FARM_FINGERPRINT(CONCAT(field, ' ', text)) & 0xFFFFFFFF, @batches) AS batch,
  FARM_FINGERPRINT(CONCAT(field, ' ', text)) AS nth, field, text, number, organisation
FROM {facts}
