SELECT
  (SELECT COUNT(*) FROM {looks} WHERE kind = 'person'),
  (SELECT COUNT(*) FROM (SELECT DISTINCT text, one FROM {values} WHERE what = 'bearer')),
  (SELECT COUNT(*) FROM (SELECT DISTINCT text, one, two FROM {values} WHERE what = 'bearer')),
  (SELECT COUNT(*) FROM {values} WHERE kind = 'person' AND what = 'postal_code'),
  (SELECT COUNT(*) FROM {values} WHERE kind = 'person' AND what = 'city'),
  (SELECT COUNT(*) FROM {values} WHERE kind = 'person' AND what = 'organisation')
