SELECT
  (SELECT COUNT(*) FROM {looks} WHERE kind = 'person'),
  (SELECT COUNT(*) FROM (SELECT DISTINCT text, one FROM {values} WHERE item = 'bearer')),
  (SELECT COUNT(*) FROM (SELECT DISTINCT text, one, two FROM {values} WHERE item = 'bearer')),
  (SELECT COUNT(*) FROM {values} WHERE kind = 'person' AND item = 'postal_code'),
  (SELECT COUNT(*) FROM {values} WHERE kind = 'person' AND item = 'city'),
  (SELECT COUNT(*) FROM {values} WHERE kind = 'person' AND item = 'organisation')
