SELECT
  (SELECT COUNT(DISTINCT text) FROM {values} WHERE kind = 'company' AND what = 'name'),
  (SELECT COUNT(DISTINCT one) FROM {values} WHERE kind = 'company' AND what = 'name'),
  (SELECT COUNT(*) FROM {values} WHERE kind = 'company' AND what = 'postal_code'),
  (SELECT COUNT(*) FROM {values} WHERE kind = 'company' AND what = 'city')
